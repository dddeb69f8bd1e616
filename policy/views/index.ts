/**
 * An agreement in the forms that others read: ODRL 2.2 as JSON-LD, the layers of DYNAMOS-eflint, plain language. Each is made
 * from the terms alone, says all of them and nothing else. They are for reading and exchange: what is decided by are the
 * terms.
 *
 * @example
 * const policy = odrlView({ name, provider, dataset, terms })
 */
export { eflintView } from './eflint.ts'
export { DYNAMOS_ODRL, type OdrlPolicy, odrlView } from './odrl.ts'
export { textView } from './text.ts'
export type { Viewed } from './viewed.ts'
