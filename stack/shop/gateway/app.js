// The routes, and what stands before them.

import { createHash, timingSafeEqual } from "node:crypto";
import express from "express";
import { crash } from "./faults.js";
import { Problem, internal, notFound } from "./problems.js";
import { answerError, onRoute, requestIdOf, send, watch } from "./requests.js";
import { checkOrderId, jsonBody, orderOf } from "./validation.js";

/** The express application. `service` is what createGateway puts together. */
export function createApp(service) {
  const app = express();
  app.disable("x-powered-by");
  app.enable("case sensitive routing");
  app.enable("strict routing");
  addUnwatched(app, service);
  app.use(watch(service)); // before anything that reads a body, so that what cannot be read is counted too
  app.use(refuseHeaders);
  addShop(app, service);
  app.use(() => {
    throw notFound();
  });
  app.use(answerError(service.log));
  return app;
}

/** What node:http itself would refuse without a word, uncounted: see OPTIONS and checkExpectation in gateway.js. */
function refuseHeaders(request, response, next) {
  const { host, expect = "100-continue" } = request.headers;
  if (host === undefined && request.httpVersion === "1.1") throw new Problem(400, "invalid_request", "The header Host is missing.");
  if (expect.toLowerCase() !== "100-continue") throw new Problem(417, "invalid_request", "Only 100-continue can be expected here.");
  next();
}

/** Health, scrapes and switches: neither counted nor logged nor traced. */
function addUnwatched(app, { metrics, faults, config, log }) {
  const router = express.Router({ caseSensitive: true, strict: true });
  router.get("/healthz", (request, response) => send(response, 200, { status: "ok" }));
  router.all("/healthz", refuseMethod("GET"));
  router.get("/metrics", async (request, response) => {
    const { type, text } = await metrics.render(request.headers.accept);
    response.setHeader("Content-Type", type);
    response.end(text);
  });
  router.all("/metrics", refuseMethod("GET"));
  const list = (request, response) => send(response, 200, faults.list());
  router.all("/lab/faults", mustKnowToken(config.token));
  router.get("/lab/faults", list);
  router.post("/lab/faults", jsonBody, (request, response) => {
    faults.switchOn(request.body);
    const dies = faults.values("crash") && !faults.values("crash").point;
    if (dies) response.on("finish", crash).on("close", crash);
    list(request, response);
  });
  router.delete("/lab/faults", (request, response) => {
    faults.endAll();
    list(request, response);
  });
  router.all("/lab/faults", refuseMethod("GET, POST, DELETE"));
  router.use(() => {
    throw notFound();
  });
  router.use(answerError(log));
  app.use((request, response, next) => {
    const unwatched = request.path === "/healthz" || request.path === "/metrics" || request.path.startsWith("/lab/");
    if (!unwatched) return next();
    response.locals.request_id = requestIdOf(request);
    router(request, response, next);
  });
}

function addShop(app, { orders, faults }) {
  const serve = (method, path, ...handlers) => {
    app[method](path, onRoute(path.replace(/:(\w+)/g, "{$1}")), breakOnPurpose(faults), ...handlers);
    app.all(path, refuseMethod(method.toUpperCase()));
  };
  serve("get", "/products", async (request, response) => send(response, 200, await orders.listProducts(response.locals.scope)));
  serve("post", "/orders", jsonBody, async (request, response) =>
    send(response, 201, await orders.place(response.locals.scope, orderOf(request.body))),
  );
  serve("get", "/orders/:order_id", async (request, response) => {
    checkOrderId(request.params.order_id);
    send(response, 200, await orders.show(response.locals.scope, request.params.order_id));
  });
}

function breakOnPurpose(faults) {
  return async (request, response, next) => {
    const slow = faults.strikes("slow");
    if (slow) {
      response.locals.scope.span.addEvent("fault.slow");
      await new Promise((resolve) => setTimeout(resolve, slow.seconds * 1000));
    }
    if (faults.strikes("errors") || faults.strikes("bad_deploy")) throw internal();
    next();
  };
}

function refuseMethod(allow) {
  return () => {
    throw Object.assign(new Problem(405, "method_not_allowed", `This path takes: ${allow}.`), { allow });
  };
}

function mustKnowToken(token) {
  const wanted = digest(`Bearer ${token}`);
  return (request, response, next) => {
    const right = timingSafeEqual(digest(request.headers.authorization ?? ""), wanted);
    if (!token || !right) throw new Problem(401, "unauthorized", "This needs the lab's token: Authorization: Bearer TOKEN.");
    next();
  };
}

/** Texts of any length become comparable in constant time. */
function digest(text) {
  return createHash("sha256").update(text).digest();
}
