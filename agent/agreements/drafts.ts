import type { AgreementDraft, Finding } from '../../policy/index.ts'
import type { Agreement } from './agreement.ts'
import type { Pending } from './delivery.ts'

/** Texts of agreements, before anybody signed them. */
export interface Drafts {
  /** @throws {AgreementMalformed} with every problem of the file */
  parse(text: string, files?: Readonly<Record<string, string>>): AgreementDraft
  check(draft: AgreementDraft): Finding[]
}

/** Sends what is no draft any more to the parties. */
export interface Proposing extends Drafts {
  /** @returns the agreement with the signatures there are, and who has still to sign */
  propose(
    agreement: Agreement,
    options?: { signal?: AbortSignal }
  ): Promise<{ agreement: Agreement; pending: Pending[] }>
}
