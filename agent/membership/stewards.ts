import type { Signed } from '../../protocol/documents/index.ts'

/**
 * Keys that signed agreements for an organisation and do so no longer. What they signed in their time stays signed: only a key
 * on the status list counts for nothing new.
 */
export class FormerStewards {
  /** By organisation and key: when the membership that left the key out was issued, in milliseconds since 1970. */
  readonly #dropped = new Map<string, Map<string, number>>()

  /** A membership took the place of another. @returns whether that one lists keys that this one does not */
  replaced(before: Signed<'membership'>, after: Signed<'membership'>): boolean {
    const { organisation, stewards, issuedAt } = after.payload
    const dropped = this.#dropped.get(organisation) ?? new Map<string, number>()
    const gone = before.payload.stewards.filter((key) => !stewards.includes(key))
    for (const key of gone) dropped.set(key, issuedAt)
    for (const key of stewards) dropped.delete(key)
    this.#dropped.set(organisation, dropped)
    return gone.length > 0
  }

  /** Those that could sign what was issued at this instant. */
  at(organisation: string, issuedAt: number): string[] {
    return [...(this.#dropped.get(organisation) ?? [])].flatMap(([key, until]) =>
      issuedAt < until ? [key] : []
    )
  }
}
