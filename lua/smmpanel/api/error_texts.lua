--- The rules that map error texts to codes. Data: each rule has a code and conditions on the meanings of a text. The
-- meanings, in all languages, are in `smmpanel.api.words`. The first rule that holds wins, so their order matters.
--
-- A condition holds if the text has all its meanings, and none of those with a minus (`-word`). `@action` holds if the
-- request was that action.
-- @module smmpanel.api.error_texts

local error_texts = {}

--- Code words from the source of panels: part of the text in lower case -> code. They are checked first.
error_texts.code_words = {
  { "link_duplicate", "active_order" }, { "error.link", "bad_link" }, { "account_banned", "account" },
  { "not_enough_funds", "no_funds" }, { "min_quantity", "bad_quantity" }, { "max_quantity", "bad_quantity" },
  { "incorrect_service_id", "bad_service" }, { "incorrect_order_id", "bad_order" },
  { "error.multiplicity", "bad_quantity" }, { "error.quantity", "bad_quantity" },
  { "incorrect_refill_id", "bad_refill" }, { "unauthenticated", "invalid_key" },
}

--- Meanings that follow from other meanings.
error_texts.derived = {
  { "invalid", "wrong", "valid" },
  { "absent", "missing", "negated found" },
  { "short", "lacking", "enough negated" },
  { "refused", "negated", "inactive", "unavailable", "already", "only", "over", "ongoing", "limits" },
  { "closed", "inactive", "unavailable", "banned", "negated able" },
  { "wanting", "invalid", "absent", "required", "inactive" },
}

--- The rules, in the order in which they are checked.
error_texts.rules = {
  -- other topics: texts with these words mean none of the codes
  { "unknown", "permission -key" },
  { "unknown", "provider" },
  { "unknown", "@services service -key -account" },
  { "rate_limited", "throttled", "request too_many", "attempts too_many" },
  { "not_cancellable", "cancel maintenance" },
  { "maintenance", "maintenance" },
  { "no_funds", "money short -link", "money low", "money exceeds", "money topup", "topup lacking" },
  { "unknown", "elsewhere -refill -cancel" },
  { "bad_request", "params required", "params absent", "params invalid", "params negated" },
  { "invalid_key", "key invalid", "key absent -link -service -quantity", "key required", "key negated found",
    "key none" },
  { "account", "key closed" },
  { "bad_request", "orders param", "refill id required", "action invalid -order", "action absent -order",
    "action required", "action negated -refill -cancel -order" },
  -- orders that already exist: before the rules for links, which use the same words
  { "active_order", "order same", "link order ongoing -refill -cancel -absent", "link same",
    "link order already -refill -cancel", "link new negated", "link new ongoing",
    "running_order already -refill -cancel" },
  { "bad_order", "order absent cancel -service", "order absent @refill -service -refill", "order invalid id @refill",
    "order absent @cancel -service" },
  { "not_cancellable", "cancel refused -refill -@refill", "cancel closed -refill -@refill", "@cancel order done",
    "@cancel order already", "@cancel order negated able", "@cancel order ongoing", "@cancel service negated able" },
  { "account", "account negated able order", "account negated able refill" },
  { "bad_refill", "refill absent -order", "refill absent id", "refill invalid id", "refill invalid @refill_status",
    "@refill_status absent -order -service", "@refill_status invalid id" },
  { "not_refillable", "refill refused", "refill closed", "refill required done", "order done negated -link",
    "@refill order done", "@refill order ongoing", "@refill cancel", "@refill order negated able",
    "@refill order already", "@refill service negated able", "@refill over", "@refill service closed" },
  { "bad_request", "orders number_limits -shared", "orders limits per_request", "extras invalid -quantity -link",
    "extras required -quantity -link", "extras absent -quantity -link", "extras limits -quantity -link",
    "extras negated -quantity -link" },
  { "bad_quantity", "multiple", "quantity invalid", "quantity required", "quantity absent", "quantity limits",
    "quantity low", "quantity exceeds", "quantity negated", "number_limits order -shared",
    "number_limits amount -shared -order", "amount limits order -shared" },
  { "bad_link", "link invalid", "link absent", "link required", "link private", "link closed", "link negated -order",
    "link format", "link limits -shared", "profile private" },
  { "account", "account closed -link", "account absent -link -order", "user closed", "api inactive -temporarily",
    "api banned", "api closed account" },
  { "maintenance", "temporarily unavailable site", "temporarily inactive site" },
  { "bad_service", "service invalid -oops", "service absent -oops", "service required", "service closed",
    "service none", "service limits" },
  { "bad_request", "order format invalid" },
  { "bad_order", "order invalid -oops -placing", "order absent -oops -placing", "order required id",
    "orders required", "no_order", "order param limits" },
  { "bad_request", "request invalid", "param required", "param absent", "param invalid" },
  { "bad_order", "@status absent -oops", "@cancel absent -oops", "@refill absent -oops", "@status invalid id" },
  { "bad_quantity", "@add number_limits -money -request -api" },
}

--- Texts that are not refusals: the request may have been carried out. The rules still determine the code.
error_texts.doubtful = {
  "timeout", "@add same order -link", "@add same request", "@add in_work -link", "@add half_done -not_done",
  "@add order there -link",
}

return error_texts
