/** What this agent decides about others: offers, contracts, starts, flows; by agreements, hosting and its own rules. */
export type { DecisionsComponents, DecisionsInit } from './components.ts'
export { Decisions } from './decisions.ts'
export { Disclosure, type DisclosureComponents } from './disclosure.ts'
export { forgetOld } from './forget.ts'
export { createRequestGuard, RequestRefused } from './guard.ts'
export { type PastOffers, PastRequests, type PastRow, type Ruleset } from './past-offers.ts'
