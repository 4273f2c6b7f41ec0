// What the peer does with a hook: decode, validate, fan out, send.
import { z } from "zod";

const time = z.iso.datetime().nullish();
const text = z.string().nullish();
const customer = z.object({
  id: z.int(), email: z.email(), first_name: text, last_name: text, country: text,
});
const giftInfo = z.object({ gift_recipient_email: z.email(), gift_recipient_name: text, gift_message: text });
const order = z.object({
  id: z.int(), total: z.int().nullish(), sub_total: z.int().nullish(), status: text, financial_status: text,
  placed_at: time, is_gift: z.boolean().nullish(), order_gift_info: giftInfo.nullish(), customer: customer.nullish(),
});
const hook = z.object({
  id: z.int(), customer: customer.nullish(), order: order.nullish(), total: z.int().nullish(),
  sub_total: z.int().nullish(), status: text, result: text, financial_status: text, placed_at: time, start_date: time,
  end_date: time, shipped_at: time, tracking_number: text, is_gift: z.boolean().nullish(),
  autorenew: z.boolean().nullish(), order_gift_info: giftInfo.nullish(), subscription_gift_info: giftInfo.nullish(),
  term: z.object({ name: text, num_cycles: z.int().nullish() }).nullish(),
  product: z.object({ id: z.int(), name: text, sku: text }).nullish(),
  fulfillments: z.array(z.object({ id: z.int(), status: text, order: order.nullish() })).nullish(),
});

const HAS_RECIPIENT = new Set(["order_new", "order_updated", "shipment_shipped", "subscription_new"]);
const URL = `${process.env.PEER_PLATFORM}/api/v2/batch`;
const PAIR = Buffer.from(`${process.env.PEER_SITE_ID}:${process.env.PEER_API_KEY}`).toString("base64");
const HEADERS = { authorization: `Basic ${PAIR}`, "content-type": "application/json" };

export function decode(raw) {
  const body = JSON.parse(raw);
  return typeof body === "string" ? JSON.parse(body) : body;
}

export function validate(body) {
  return hook.parse(body);
}

export function fanOut(event, data) {
  const { customer: own, ...rest } = data;
  const buyer = own ?? data.order.customer;
  const { id, ...names } = buyer;
  const messages = [{ identifiers: { id: String(id) }, attributes: names, event, data: rest }];
  const gift = giftOf(data);
  if (gift && HAS_RECIPIENT.has(event)) {
    messages.push({
      identifiers: { email: gift.gift_recipient_email },
      attributes: { first_name: gift.gift_recipient_name, gift_recipient: true },
      event,
      data: { gift_message: gift.gift_message, giver: buyer.first_name },
    });
  }
  return messages;
}

export async function send(messages) {
  for (const { identifiers, attributes, event, data } of messages) {
    const who = { type: "person", identifiers };
    const batch = [{ ...who, action: "identify", attributes }, { ...who, action: "event", name: event, attributes: data }];
    const answer = await fetch(URL, {
      method: "POST", headers: HEADERS, body: JSON.stringify({ batch }), signal: AbortSignal.timeout(10_000),
    });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`the platform answered ${answer.status}`);
  }
}

function giftOf(data) {
  const places = [data, data.fulfillments?.[0]?.order];
  return places.map((place) => place?.order_gift_info ?? place?.subscription_gift_info).find((one) => one);
}
