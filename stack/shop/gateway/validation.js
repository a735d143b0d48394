// What callers may send.

import express from "express";
import { Problem, invalid } from "./problems.js";

const BODY_LIMIT = "16kb";
const MAX_QUANTITY = 100;
const ORDER_ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const SKU = /^[A-Z0-9][A-Z0-9-]{0,31}$/;
const SIMULATIONS = ["", "slow", "decline"];

const readBytes = express.raw({ type: () => true, limit: BODY_LIMIT, inflate: false });

/** Express middleware that puts the request's JSON into request.body. */
export function jsonBody(request, response, next) {
  const type = (request.headers["content-type"] ?? "").split(";")[0].trim().toLowerCase();
  if (type !== "application/json")
    throw new Problem(415, "unsupported_media_type", "The body must be JSON: Content-Type: application/json.");
  readBytes(request, response, (error) => {
    if (error) return next(error);
    try {
      request.body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(request.body ?? new Uint8Array()));
    } catch {
      return next(new Problem(400, "invalid_json", "The body is not valid JSON."));
    }
    next();
  });
}

/** `body` when it is a JSON object with no other fields than `known`. */
export function objectWith(body, known) {
  if (body === null || typeof body !== "object" || Array.isArray(body)) throw invalid("The body must be a JSON object.");
  for (const name of Object.keys(body))
    if (!known.includes(name)) throw invalid(`There is no field ${JSON.stringify(name.slice(0, 40))}. Known: ${known.join(", ")}.`);
  return body;
}

/** The order that `body` describes. */
export function orderOf(body) {
  const { order_id, sku, quantity, simulate = "" } = objectWith(body, ["order_id", "sku", "quantity", "simulate"]);
  checkOrderId(order_id);
  if (typeof sku !== "string" || !SKU.test(sku)) throw invalid("sku must be a product's code, such as TEA-001.");
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > MAX_QUANTITY)
    throw invalid(`quantity must be a whole number from 1 to ${MAX_QUANTITY}.`);
  if (!SIMULATIONS.includes(simulate)) throw invalid('simulate must be "slow" or "decline", or be left out.');
  return { order_id, sku, quantity, simulate };
}

export function checkOrderId(order_id) {
  if (typeof order_id !== "string" || !ORDER_ID.test(order_id)) throw invalid("order_id must be a UUID in small letters.");
}
