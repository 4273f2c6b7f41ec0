"""Countries in the two forms that warehouses want: ISO 3166-1 alpha-2 and alpha-3."""

from __future__ import annotations

from functools import cache
from typing import Literal

from babel import Locale

Format = Literal["alpha2", "alpha3"]

# Alpha-2 and alpha-3 of every country, written together. Kosovo has no code of its own in ISO 3166-1; XK and XKX are
# what carriers use.
_CODES = (
    "ADAND AEARE AFAFG AGATG AIAIA ALALB AMARM AOAGO AQATA ARARG ASASM ATAUT AUAUS AWABW AXALA AZAZE BABIH "
    "BBBRB BDBGD BEBEL BFBFA BGBGR BHBHR BIBDI BJBEN BLBLM BMBMU BNBRN BOBOL BQBES BRBRA BSBHS BTBTN BVBVT "
    "BWBWA BYBLR BZBLZ CACAN CCCCK CDCOD CFCAF CGCOG CHCHE CICIV CKCOK CLCHL CMCMR CNCHN COCOL CRCRI CUCUB "
    "CVCPV CWCUW CXCXR CYCYP CZCZE DEDEU DJDJI DKDNK DMDMA DODOM DZDZA ECECU EEEST EGEGY EHESH ERERI ESESP "
    "ETETH FIFIN FJFJI FKFLK FMFSM FOFRO FRFRA GAGAB GBGBR GDGRD GEGEO GFGUF GGGGY GHGHA GIGIB GLGRL GMGMB "
    "GNGIN GPGLP GQGNQ GRGRC GSSGS GTGTM GUGUM GWGNB GYGUY HKHKG HMHMD HNHND HRHRV HTHTI HUHUN IDIDN IEIRL "
    "ILISR IMIMN ININD IOIOT IQIRQ IRIRN ISISL ITITA JEJEY JMJAM JOJOR JPJPN KEKEN KGKGZ KHKHM KIKIR KMCOM "
    "KNKNA KPPRK KRKOR KWKWT KYCYM KZKAZ LALAO LBLBN LCLCA LILIE LKLKA LRLBR LSLSO LTLTU LULUX LVLVA LYLBY "
    "MAMAR MCMCO MDMDA MEMNE MFMAF MGMDG MHMHL MKMKD MLMLI MMMMR MNMNG MOMAC MPMNP MQMTQ MRMRT MSMSR MTMLT "
    "MUMUS MVMDV MWMWI MXMEX MYMYS MZMOZ NANAM NCNCL NENER NFNFK NGNGA NINIC NLNLD NONOR NPNPL NRNRU NUNIU "
    "NZNZL OMOMN PAPAN PEPER PFPYF PGPNG PHPHL PKPAK PLPOL PMSPM PNPCN PRPRI PSPSE PTPRT PWPLW PYPRY QAQAT "
    "REREU ROROU RSSRB RURUS RWRWA SASAU SBSLB SCSYC SDSDN SESWE SGSGP SHSHN SISVN SJSJM SKSVK SLSLE SMSMR "
    "SNSEN SOSOM SRSUR SSSSD STSTP SVSLV SXSXM SYSYR SZSWZ TCTCA TDTCD TFATF TGTGO THTHA TJTJK TKTKL TLTLS "
    "TMTKM TNTUN TOTON TRTUR TTTTO TVTUV TWTWN TZTZA UAUKR UGUGA UMUMI USUSA UYURY UZUZB VAVAT VCVCT VEVEN "
    "VGVGB VIVIR VNVNM VUVUT WFWLF WSWSM XKXKX YEYEM YTMYT ZAZAF ZMZMB ZWZWE"
)
ALPHA3_BY_ALPHA2 = {pair[:2]: pair[2:] for pair in _CODES.split()}
_ALPHA2_BY_ALPHA3 = {alpha3: alpha2 for alpha2, alpha3 in ALPHA3_BY_ALPHA2.items()}
_OTHER_SPELLINGS = {"UK": "GB", "ENGLAND": "GB", "SCOTLAND": "GB", "WALES": "GB", "UNITED STATES OF AMERICA": "US"}


def find_country(text: str) -> str | None:
    """Return the alpha-2 code of a country by either code or its English name, or None. Cratejoy sends alpha-2."""
    word = " ".join(text.upper().replace(".", "").split())
    if word in ALPHA3_BY_ALPHA2:
        return word
    return _ALPHA2_BY_ALPHA3.get(word) or _OTHER_SPELLINGS.get(word) or _read_names().get(word)


def format_country(alpha2: str, wanted: Format) -> str:
    """Return the code in the form that the warehouse wants. Raises KeyError for what `find_country` never gives."""
    return ALPHA3_BY_ALPHA2[alpha2] if wanted == "alpha3" else alpha2


@cache
def _read_names() -> dict[str, str]:
    names = Locale("en").territories
    return {names[code].upper(): code for code in ALPHA3_BY_ALPHA2}
