// An order's way: is there enough in stock, is it paid, is it reserved. And what is taken back when that stays unknown.

import { reasonOf } from "./logs.js";
import { Problem } from "./problems.js";
import { logInside } from "./requests.js";
import { SpanKind, markFailed, openSpan } from "./tracing.js";

const READ_MS = 1000;
const PAY_MS = 3000;
const RESERVE_MS = 1500;
const UNDO_MS = 1500; // void and cancel
const REMEMBERED_ORDERS = 10_000;

export class Orders {
  /** `afterPayment(scope, order_id)` is called when an order is paid and not reserved yet: the fault `crash` strikes there. */
  constructor({ inventory, payments, afterPayment }) {
    Object.assign(this, { inventory, payments, afterPayment });
    this.working = new Map(); // order_id -> {contents, result}: the same order asked for twice at once is worked on once
    this.placed = new Set();
  }

  async listProducts(scope) {
    return this.#passOn(await this.inventory.call(scope, { method: "GET", path: "/products", timeout_ms: READ_MS }));
  }

  async show(scope, order_id) {
    const path = `/reservations/${order_id}`;
    const answer = await this.inventory.call(scope, { method: "GET", path, timeout_ms: READ_MS });
    if (answer.status === 404 && answer.known) throw new Problem(404, "unknown_order", "There is no such order.");
    return this.#passOn(answer);
  }

  /** The order as it was placed. Throws a Problem. */
  async place(scope, order) {
    const contents = JSON.stringify([order.sku, order.quantity, order.simulate]);
    const other = this.working.get(order.order_id);
    if (other && other.contents !== contents)
      throw new Problem(409, "order_differs", "An order with this id and other contents is being worked on.");
    if (other) return other.result;
    const result = this.#work(scope, order);
    this.working.set(order.order_id, { contents, result });
    try {
      return await result;
    } finally {
      this.working.delete(order.order_id);
    }
  }

  /** Resolves when no order is being worked on. */
  async idle() {
    while (this.working.size) await Promise.allSettled([...this.working.values()].map(({ result }) => result));
  }

  async #work(scope, { order_id, sku, quantity, simulate }) {
    const price_cents = await inStep(scope, "check_stock", { "shop.sku": sku, "shop.quantity": quantity }, (step) =>
      this.#checkStock(step, { order_id, sku, quantity }),
    );
    const order = { order_id, sku, quantity, amount_cents: price_cents * quantity };
    await inStep(scope, "pay", { "shop.order_id": order_id, "shop.amount_cents": order.amount_cents }, (step) =>
      this.#pay(step, order, simulate, scope),
    );
    this.afterPayment(scope, order_id);
    await inStep(scope, "reserve", { "shop.order_id": order_id, "shop.sku": sku }, (step) => this.#reserve(step, order, scope));
    this.#remember(order_id);
    return { ...order, status: "placed" };
  }

  async #checkStock(scope, { order_id, sku, quantity }) {
    const answer = await this.inventory.call(scope, { method: "GET", path: `/products/${sku}`, timeout_ms: READ_MS });
    if (!answer.known) throw upstreamProblem(answer, notPlaced(order_id));
    if (answer.status === 404) throw new Problem(404, "unknown_product", `There is no product ${sku}.`);
    const { price_cents, stock } = answer.body ?? {};
    if (answer.status !== 200 || !Number.isInteger(price_cents) || !Number.isInteger(stock))
      throw refusal(answer, "inventory", notPlaced(order_id));
    // An order that was placed before has taken its pieces: asked for again, it must not find too few.
    if (stock < quantity && !this.placed.has(order_id)) throw outOfStock();
    return price_cents;
  }

  async #pay(scope, { order_id, amount_cents }, simulate, requestScope) {
    const headers = { "idempotency-key": order_id };
    const body = { amount_cents, ...(simulate && { simulate }) };
    const answer = await this.payments.call(scope, { method: "POST", path: "/payments", timeout_ms: PAY_MS, body, headers });
    if (answer.known && answer.status === 201) return;
    if (answer.known && answer.status === 402) throw new Problem(402, "card_declined", messageOf(answer, "The card was declined."));
    if (answer.known) throw refusal(answer, "payments", notPlaced(order_id));
    if (this.placed.has(order_id)) throw upstreamProblem(answer, { order_id, state: "unknown" }); // its money is owed
    // Waited for: as long as it runs, the same order must not be begun again.
    await this.#void(requestScope, order_id, "the answer to the payment stayed unknown");
    throw upstreamProblem(answer, notPlaced(order_id));
  }

  async #reserve(scope, order, requestScope) {
    const { order_id } = order;
    const answer = await this.inventory.call(scope, { method: "POST", path: "/reservations", timeout_ms: RESERVE_MS, body: order });
    if (!answer.known) return this.#cancel(requestScope, order_id, answer);
    if (answer.status === 201 || answer.status === 200) return;
    const code = codeOf(answer);
    // Only what certainly has no reservation gives its money back; for the rest the hold expires.
    if (answer.status === 404 || code === "out_of_stock" || code === "order_cancelled")
      await this.#void(requestScope, order_id, `inventory answered ${code || answer.status}`);
    if (code === "out_of_stock") throw outOfStock();
    throw refusal(answer, "inventory", notPlaced(order_id));
  }

  /** Makes an unknown reservation a known one. Returns when it turns out to have been made and confirmed. */
  async #cancel(scope, order_id, unknown) {
    const path = `/reservations/${order_id}/cancel`;
    const answer = await this.inventory.call(scope, { method: "POST", path, timeout_ms: UNDO_MS });
    if (answer.known && answer.status === 409 && codeOf(answer) === "already_confirmed") return;
    if (answer.known && answer.status === 200) {
      scope.log("warn", "reservation cancelled", { order_id, reason: unknown.reason });
      await this.#void(scope, order_id, "the reservation was cancelled");
      throw upstreamProblem(unknown, notPlaced(order_id));
    }
    // The money follows the reservation: inventory captures it if it was reserved, else the hold expires.
    const reason = answer.known ? `inventory answered ${answer.status} to the cancellation` : answer.reason;
    scope.log("error", "reservation state unknown", { order_id, reason });
    throw new Problem(504, "upstream_timeout", "Whether the order was placed is not known yet.", { order_id, state: "unknown" });
  }

  async #void(scope, order_id, reason) {
    const path = `/payments/${order_id}/void`;
    const answer = await this.payments.call(scope, { method: "POST", path, timeout_ms: UNDO_MS });
    if (answer.known && answer.status === 200) return scope.log("warn", "payment voided", { order_id, reason });
    const why = answer.known ? `payments answered ${codeOf(answer) || answer.status}` : answer.reason;
    scope.log("error", "payment not voided", { order_id, reason: `${reason}; ${why}` });
  }

  #passOn(answer) {
    if (!answer.known) throw upstreamProblem(answer);
    if (answer.status !== 200) throw refusal(answer, "inventory");
    return answer.body;
  }

  #remember(order_id) {
    this.placed.add(order_id);
    if (this.placed.size > REMEMBERED_ORDERS) this.placed.delete(this.placed.values().next().value);
  }
}

/** Runs `work(scope)` in a span below `scope`. Only what is nobody's decision marks it as failed. */
async function inStep(scope, name, attributes, work) {
  const { span, context } = openSpan(scope.tracer, scope.context, name, SpanKind.INTERNAL, attributes);
  try {
    return await work({ ...scope, span, context, log: logInside(scope.baseLog, span, scope.request_id) });
  } catch (error) {
    if (!(error instanceof Problem) || error.status >= 500) markFailed(span, reasonOf(error.message));
    throw error;
  } finally {
    span.end();
  }
}

const notPlaced = (order_id) => ({ order_id, state: "not placed" });
const outOfStock = () => new Problem(409, "out_of_stock", "There are not enough pieces left.");

function upstreamProblem({ outcome }, details) {
  if (outcome === "timeout") return new Problem(504, "upstream_timeout", "A service behind this one did not answer in time.", details);
  return new Problem(502, "upstream_failed", "A service behind this one failed.", details);
}

const BUSINESS_STATUS = [404, 409, 422];

/** A refusal of another service as ours. One that is about our own call, such as a 400, is not the caller's fault. */
function refusal(answer, upstream, details) {
  const code = codeOf(answer);
  if (BUSINESS_STATUS.includes(answer.status) && code)
    return new Problem(answer.status, code, messageOf(answer, `Refused by ${upstream}.`));
  return upstreamProblem({}, details);
}

function codeOf({ body }) {
  const code = body?.error?.code;
  return typeof code === "string" && /^[a-z_]{1,64}$/.test(code) ? code : "";
}

function messageOf({ body }, otherwise) {
  const message = body?.error?.message;
  return typeof message === "string" && message ? message.slice(0, 300) : otherwise;
}
