import {
  type AgreementDraft,
  changesBetween,
  describeDraft,
  unenforceableClauses,
  writeAgreement
} from '../../policy/index.ts'
import { decodeSigned, encodePlain, idOf } from '../../protocol/documents/index.ts'
import { DynamosError } from '../../protocol/errors/index.ts'
import type { Manifests } from '../../services/index.ts'
import {
  type Agreement,
  type AgreementRecords,
  type Agreements,
  type Known,
  problemsHere,
  viewAgreement
} from '../agreements/index.ts'
import type { AgreementView, Operations } from '../api/index.ts'

export interface AgreementOperationsComponents {
  agreements: Agreements
  manifests: Manifests
  own: string
  clock: { now(): number }
}

export type AgreementOperations = Pick<
  Operations,
  | 'agreements'
  | 'agreement'
  | 'checkAgreement'
  | 'prepareAgreement'
  | 'signAgreement'
  | 'agreementToSign'
  | 'proposeAgreement'
  | 'refuseAgreement'
  | 'agreementDiff'
  | 'prepareRevocation'
  | 'revokeAgreement'
>

/** The life of agreements, as people of this organisation lead it. */
export function agreementOperations(components: AgreementOperationsComponents): AgreementOperations {
  const { agreements, manifests, own, clock } = components
  const { proposals } = agreements

  const known = async (): Promise<Known[]> =>
    (await agreements.all()).map((one) => ({ ...one, signedBy: agreements.signedBy(one.agreement) }))
  const draftView = (agreement: Agreement): AgreementView =>
    viewAgreement({ agreement, state: 'draft', signedBy: agreements.signedBy(agreement) }, clock.now())

  const named = async (idOrName: string): Promise<{ best: Known | undefined; all: Known[] }> => {
    const all = (await known()).filter(
      ({ agreement }) => agreement.id === idOrName || agreement.payload.name === idOrName
    )
    const best =
      all.find(({ state }) => state === 'in-force') ?? all.find(({ state }) => state === 'proposed') ?? all[0]
    return { best, all }
  }

  /** All of it: its text, and what else waits under its name. */
  const fullView = (one: Known, all: readonly Known[], records: AgreementRecords): AgreementView => {
    const { payload, id } = one.agreement
    const waiting = all
      .filter(({ state, agreement }) => state === 'proposed' && agreement.id !== id)
      .map(({ agreement }) => agreement.id)
    const problems = one.state === 'proposed' ? problemsHere(payload, manifests, clock.now()) : []
    return {
      ...viewAgreement(one, clock.now(), records),
      text: writeAgreement(payload),
      ...(problems.length === 0 ? {} : { problems }),
      ...(waiting.length === 0 ? {} : { waiting })
    }
  }

  const viewOf = async (id: string): Promise<AgreementView> => {
    const { best, all } = await named(id)
    if (best === undefined) throw notKnown(id)
    return fullView(best, all, await proposals.records())
  }

  return {
    agreements: async () => {
      const records = await proposals.records()
      return (await known()).map((one) => viewAgreement(one, clock.now(), records))
    },
    agreement: async (idOrName) => {
      const { best, all } = await named(idOrName)
      return best === undefined ? undefined : fullView(best, all, await proposals.records())
    },
    checkAgreement: async (text, files) => {
      const draft = agreements.parse(text, files)
      const findings = agreements.check(draft)
      const isOwn = draft.provider === own && !findings.some((finding) => finding.level === 'error')
      if (!isOwn) return { findings, view: null }
      if (draft.standing === undefined)
        return { findings, view: draftView(await agreements.draft(text, files)) }
      const { id } = await agreements.standing.draft(text, files)
      return { findings, view: offerAsDraft(draft, id) }
    },
    prepareAgreement: async (text, files) => {
      const agreement = await agreements.draft(text, files)
      return { id: agreement.id, payload: base64(agreement.bytes.payload), view: draftView(agreement) }
    },
    signAgreement: async ({ text, files, signed, name }, signal) => {
      const agreement =
        signed === undefined
          ? await agreements.signAsSteward(
              name === undefined
                ? await agreements.draft(text ?? '', files)
                : (await proposals.waiting(name)).agreement
            )
          : await decodeSigned('agreement', Buffer.from(signed, 'base64'))
      return await viewOf((await agreements.propose(agreement, { signal })).agreement.id)
    },
    agreementToSign: async (idOrName) => {
      const { agreement } = await proposals.waiting(idOrName)
      return {
        id: agreement.id,
        payload: base64(agreement.bytes.payload),
        view: await viewOf(agreement.id)
      }
    },
    proposeAgreement: async ({ text, files, counters }, signal) => {
      const { agreement } =
        counters === undefined
          ? await proposals.propose(text, files, { signal })
          : await proposals.counter(counters, text, files, { signal })
      return await viewOf(agreement.id)
    },
    refuseAgreement: async (idOrName, reason, signal) =>
      await viewOf((await proposals.refuse(idOrName, reason, { signal })).agreement.id),
    agreementDiff: async (idOrName, other) => {
      const { best, all } = await named(idOrName)
      const after = all.find(({ state }) => state === 'proposed') ?? best
      if (after === undefined) throw notKnown(idOrName)
      const { payload, id } = after.agreement
      const earlier = other ?? payload.counters ?? payload.supersedes
      const before =
        earlier === undefined
          ? (await named(payload.name)).all.find(
              ({ state, agreement }) =>
                state === 'in-force' && agreement.id !== id && agreement.payload.provider === payload.provider
            )
          : (await named(earlier)).best
      if (before === undefined && other !== undefined) throw notKnown(other)
      return {
        name: payload.name,
        before: before?.agreement.id ?? null,
        after: id,
        ...changesBetween(before?.agreement.payload, payload)
      }
    },
    prepareRevocation: async (idOrName, reason) => {
      const payload = encodePlain(await proposals.revocationOf(idOrName, reason))
      return { id: await idOf(payload), payload: base64(payload) }
    },
    revokeAgreement: async (idOrName, { signed, reason }, signal) => {
      const { agreement } =
        signed === undefined
          ? await proposals.revokeAsSteward(idOrName, reason ?? '', { signal })
          : await proposals.revoke(await decodeSigned('revocation', Buffer.from(signed, 'base64')), {
              signal
            })
      return await viewOf(agreement.id)
    }
  }
}

/** Nobody is a party of an offer yet. */
function offerAsDraft(draft: AgreementDraft, id: string): AgreementView {
  const { name, provider, dataset, terms } = draft
  return {
    id,
    name,
    provider,
    dataset,
    parties: [],
    signedBy: [],
    state: 'draft',
    unenforceable: unenforceableClauses(terms).map((one) => `${one.clause}: ${one.reason}`),
    plain: describeDraft(draft),
    terms
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

class AgreementNotFound extends DynamosError {
  static override readonly name = 'AgreementNotFound'
}

function notKnown(idOrName: string): AgreementNotFound {
  return new AgreementNotFound(
    'not-found',
    `no agreement ${idOrName} is known here; \`dynamos agreement list\` shows all`
  )
}
