--- The words of panels' error texts: English. See `smmpanel.api.words`.
-- @module smmpanel.api.words.english

return {
  en = {
    no_order = "no order was, no order found, no orders found, no order with, no order exists",
    running_order = "active order*, pending order*, open order*, order in progress, running order*",
    scheduled = "scheduled, schedule, is queued, been queued",
    -- a text that is not a refusal
    there = "already exists",
    not_done = "not been placed, not placed, was not placed, not been created, was not created, no order was, "
      .. "not created, not submitted, not been submitted, could not be placed, could not be created, "
      .. "not accepted, was rejected, been rejected",
    half_done = "placed at, was placed, been placed, just placed, already placed, order was created, "
      .. "been created, already created, been submitted, already submitted, order submitted, was submitted, "
      .. "submitted to, save failed, saving failed, not saved, could not save, failed to save, "
      .. "could not be saved, not be saved, could not be recorded, already sent, was sent, been sent, "
      .. "order placed, order created, order accepted, was accepted, accepted but, been received, "
      .. "may have been, might have been, not confirmed, could not confirm, cannot confirm, whether the order, "
      .. "local error",
    in_work = "being processed, is processing, processing your order, processing order, order processing, "
      .. "still processing, in process, already processed",
    timeout = "timeout*, timed out, time out, no response, did not respond, not responding, connection lost, "
      .. "connection to, connection reset, connection refused, connection closed, gateway, curl, c url error, "
      .. "sqlstate, exception, internal server error, server error, database error, deadlock*, "
      .. "too many connections",
    -- without a meaning here: they show that a text is English
    plain = "the, an, is, are, was, be, been, in, on, of, to, for, with, this, that, by, your, you, our, we, it, "
      .. "at, has, have, had, please, and, or, from, than, some, any, all, if, use, used, only, one, will, would, "
      .. "must, should, did, does, can, not, its, there, their, they, were, about, after, but, more, most, other, "
      .. "then, these, those, what, when, where, which, who, my, try",
    -- the topic of a text
    money = "balance*, fund*, credit, credits, money, wallet, cash",
    key = "api key*, apikey*, key, api token*, access token*, token, api_key*",
    api = "api",
    account = "account*, accout",
    user = "user, users, userid",
    service = "service*, package, packages, product, serviceid",
    order = "order, orders, orderid, orderids, ordered",
    orders = "orders",
    link = "link*, url*, target, permalink",
    profile = "profile*, page, username, channel, account, video, post",
    quantity = "quantit*, qty",
    amount = "amount*, number, numbers, value, count",
    refill = "refil*",
    cancel = "cancel*",
    action = "action*, method, command",
    params = "parameters, params, fields, all field*, arguments",
    param = "parameter, param, field, argument",
    extras = "comment*, run, runs, interval*, username*, hashtag*, keyword*, answer*, poll*, delay, expiry, "
      .. "drip*, media, usernames, country, device, posts, start_at, groups",
    request = "request, requests, call, calls, requesting, query, queries",
    id = "id, ids",
    -- the statement about the topic
    negated = "not, no, never, cannot, cant, unable, dont, doesnt, didnt, isnt, wasnt, arent, wont, havent, "
      .. "hasnt, without, couldnt, non, nor, neither, ineligible, unsupported",
    enough = "enough, sufficient, suffice, sufficiently",
    lacking = "insufficient*, insuficient*, inssuficient*, unsufficient*, lack of, lacks, no fund*, no money, "
      .. "no balance, no credit*, less than, out of fund*, out of money, out of balance, out of credit*, "
      .. "not have fund*, run out",
    low = "low, lower, too low, small, too small, empty",
    topup = "top up, topup, add fund*, add money, recharge, add balance, refill your balance, deposit more, "
      .. "add more fund*",
    wrong = "invalid*, incorrect*, inccorect, incorect*, inccorrect*, wrong*, bad, malformed, illegal, "
      .. "unrecognized, unrecognised, mismatch, does not match, doesnt match, inappropriate, not appropriate, "
      .. "not a, not in the",
    valid = "valid, correct, proper, correctly, appropriate",
    missing = "not belong, doesnt belong, does not belong, not your order, missing, not found, notfound, "
      .. "does not exist*, doesnt exist*, do not exist*, dont exist, not exist*, no such, no longer exist*, "
      .. "unknown, nonexistent, non existent, couldnt find, could not find, cannot find, cant find, not provided, "
      .. "not specified, no api key, no key, no action, unable to find, didnt find, was not found",
    required = "please choose, please select, choose a, select a, you must choose, required, require, requires, "
      .. "mandatory, cannot be empty, cant be empty, must be filled, must fill, can not be empty, cannot be null, "
      .. "cannot be blank, please enter, please provide, please specify, please fill, enter a, must provide, "
      .. "is empty, must not be empty, not be empty, needed",
    unavailable = "unavailable, not available, no longer available, no longer offered, not accessible, "
      .. "not offered, discontinued, cannot be ordered, not sold",
    inactive = "disable*, inactive, not active, isnt active, deactive*, deactivat*, de activated, suspend*, "
      .. "stopped, paused, off, turned off, not enabled, not activated, closed, expired, removed, deleted, "
      .. "archived, not allowed, revoked",
    banned = "banned, ban, block, blocked, locked, restricted, frozen, terminated, suspend*",
    private = "public, private, secret, hidden, protected",
    found = "found, find, exist, exists, located, provided, given",
    able = "cannot, cant, unable, couldnt, support*, allow*, possible, eligible, permitted, offer*, can, "
      .. "available, applicable, enabled, processable, refillable, cancelable, cancellable",
    already = "already, before, previously, once, again, recently, existing, within, ago, last",
    over = "over, expired, window, period, passed, ended, exceeded, days, too late, hours, hrs",
    ongoing = "active order*, in progress, inprogress, progress, pending, ongoing, wait, still, already, exists, "
      .. "exist, existing, running, processing, processed, uncompleted, unfinished, incomplete, active, completed",
    same = "identical, duplicate*, duplicated, same order, same link, double order",
    new = "new order*, another order",
    done = "complete*, finished, processed, started, delivered, refunded, partial",
    only = "only",
    limits = "limits, minimum, maximum, minimal, maximal, min, max, maksimum, at least, at most, between, range, "
      .. "multiple, multiples, exceed*, less than, more than, greater, lower than, higher, too low, too high, "
      .. "too small, too big, too large, too many, out of bounds, limit, must be, must to be, below, above, "
      .. "under, whole number, integer, numeric, should be",
    number_limits = "minimum, maximum, minimal, maximal, min, max, maksimum, at least, at most",
    multiple = "multiple of, multiples of",
    exceeds = "exceeded, exceeds, exceed, exceeding, is higher than, is more than, greater than",
    too_many = "too many, too much, exceeded, exceed, exceeds, limit, limits, limit reached, maximum number of",
    throttled = "rate limit*, ratelimit*, too fast, slow down, too quickly, too frequent*, flood, throttle*, "
      .. "per minute, per second, too many requests, too many attempts, too many failed attempts, requests limit, "
      .. "try again in, hourly limit, too often",
    attempts = "attempt, attempts, tries",
    maintenance = "maintenance*, maintainance, maintenence, under construction, being upgraded, being updated",
    temporarily = "temporarily, temporary, currently, at the moment, moment, right now",
    site = "panel, site, website, system, server, platform, api, service temporarily",
    -- other topics
    permission = "permission*, privilege*, unauthorized access, access denied",
    provider = "provider*, supplier*, panel above, upstream",
    elsewhere = "coupon*, deposit*, payment*, ticket*, email*, e mail, password*, category, categories, promo*, "
      .. "captcha, file, invoice*, card, subscription, referral*, affiliate*, csrf, session, database, sqlstate, "
      .. "2fa, phone, storage, template, undefined, exception, fee",
    oops = "unknown error, unexpected error, error occurred, error has occurred, something went wrong, went wrong",
    shared = "concurrent*, in flight, quota, per day, daily",
    placing = "create, creating, place, placing, created, placed, submit, submitted, make",
    per_request = "per request, per call, in one request, at once",
    format = "format",
  },
}
