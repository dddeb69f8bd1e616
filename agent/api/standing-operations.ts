import type { AttachedFiles } from './attached-files.ts'
import type { StandingOfferList, StandingOfferView } from './standing-view.ts'
import type { AgreementView } from './views.ts'

/** Agreements without consumers: published here, and those of others, taken here. */
export interface StandingOperations {
  /** Own ones without `from`, and those of every provider that is found; else those of that organisation. */
  list(from: string | undefined, signal: AbortSignal): Promise<StandingOfferList>
  /** One, in words; without `from` an own one. */
  show(name: string, from: string | undefined, signal: AbortSignal): Promise<StandingOfferView>
  /** The bytes a steward has to sign, in base64. */
  prepare(
    text: string,
    files?: AttachedFiles
  ): Promise<{ id: string; payload: string; view: StandingOfferView }>
  /** Signed by a steward (base64), or a text where the agent may sign itself. */
  publish(input: { text?: string; files?: AttachedFiles; signed?: string }): Promise<StandingOfferView>
  withdraw(name: string): Promise<StandingOfferView>
  /** The agreement that a steward has to sign to take one. */
  prepareTaking(
    name: string,
    from: string,
    signal: AbortSignal
  ): Promise<{ id: string; payload: string; view: AgreementView }>
  /** Signed by the agent, where it may. */
  take(name: string, from: string, signal: AbortSignal): Promise<AgreementView>
}
