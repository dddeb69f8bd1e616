import { describeOffer, writeOffer } from '../../policy/index.ts'
import { decodeSigned } from '../../protocol/documents/index.ts'
import { codeOf, instantText, toError } from '../../protocol/errors/index.ts'
import {
  type Agreement,
  AgreementNotSignable,
  type Agreements,
  type OwnOffer,
  type StandingOffer,
  viewAgreement
} from '../agreements/index.ts'
import type { AgreementView, StandingOfferView, StandingOperations } from '../api/index.ts'

export interface StandingOperationsComponents {
  agreements: Agreements
  own: string
  clock: { now(): number }
  /** Organisations that hold data out, as far as they are found. */
  providers(signal: AbortSignal): Promise<string[]>
}

/** Those that are asked at once: in a large marketplace one is named. */
const MOST_ASKED = 32

/** Agreements without consumers, as people of this organisation publish and take them. */
export function standingOperations({
  agreements,
  own,
  clock,
  providers
}: StandingOperationsComponents): StandingOperations {
  const { standing } = agreements

  const viewOf = ({ id, payload }: StandingOffer, state: StandingOfferView['state']): StandingOfferView => ({
    id,
    name: payload.name,
    provider: payload.provider,
    dataset: payload.dataset,
    purposes: payload.terms.purposes,
    until: instantText(payload.expires),
    state: state === 'published' && payload.expires <= clock.now() ? 'ended' : state
  })
  const inFull = (offer: StandingOffer, state: StandingOfferView['state']): StandingOfferView => ({
    ...viewOf(offer, state),
    plain: describeOffer(offer.payload),
    text: writeOffer(offer.payload)
  })
  const ownView = ({ offer, state, takers }: OwnOffer): StandingOfferView => ({
    ...viewOf(offer, state),
    takers: offer.payload.takers,
    max: offer.payload.max,
    takenBy: takers.map(({ organisation }) => organisation)
  })
  const ownNamed = async (name: string): Promise<StandingOfferView> => {
    const all = (await standing.own()).filter(({ offer }) => offer.id === name || offer.payload.name === name)
    const found = all.find(({ state }) => state === 'published') ?? all[0]
    if (found === undefined)
      throw new AgreementNotSignable(
        'not-found',
        `${own} has no standing offer ${name}; \`dynamos agreement list --standing\` shows all`
      )
    return { ...inFull(found.offer, found.state), ...ownView(found) }
  }
  const ofOthers = async (from: string, signal: AbortSignal): Promise<StandingOfferView[]> =>
    (await standing.of(from, { signal })).map(({ until, ...offer }) => ({
      ...offer,
      provider: from,
      until: instantText(until),
      state: 'published'
    }))
  const agreementViewOf = async (id: string): Promise<AgreementView> => {
    const known = (await agreements.all()).find(({ agreement }) => agreement.id === id)
    if (known === undefined) throw new AgreementNotSignable('not-found', `no agreement ${id} is known here`)
    const signedBy = agreements.signedBy(known.agreement)
    return viewAgreement({ ...known, signedBy }, clock.now(), await agreements.proposals.records())
  }
  const draftView = (agreement: Agreement): AgreementView =>
    viewAgreement({ agreement, state: 'draft', signedBy: agreements.signedBy(agreement) }, clock.now())

  return {
    list: async (from, signal) => {
      if (from === own) return { offers: (await standing.own()).map(ownView), unreached: [] }
      if (from !== undefined) return { offers: await ofOthers(from, signal), unreached: [] }
      const others = (await providers(signal)).filter((one) => one !== own)
      const asked = await Promise.all(
        others.slice(0, MOST_ASKED).map(async (organisation) => {
          try {
            return { offers: await ofOthers(organisation, signal), unreached: [] }
          } catch (error) {
            const reason = `${codeOf(error)}: ${toError(error).message}`
            return { offers: [], unreached: [{ organisation, reason }] }
          }
        })
      )
      return {
        offers: [...(await standing.own()).map(ownView), ...asked.flatMap(({ offers }) => offers)],
        unreached: [
          ...asked.flatMap(({ unreached }) => unreached),
          ...others.slice(MOST_ASKED).map((organisation) => ({ organisation, reason: 'not asked: name it' }))
        ]
      }
    },
    show: async (name, from, signal) =>
      from === undefined || from === own
        ? await ownNamed(name)
        : inFull(await standing.find(name, from, { signal }), 'published'),
    prepare: async (text, files) => {
      const offer = await standing.draft(text, files)
      return { id: offer.id, payload: base64(offer.bytes.payload), view: inFull(offer, 'draft') }
    },
    publish: async ({ text, files, signed }) => {
      const offer =
        signed === undefined
          ? await standing.signAsSteward(await standing.draft(text ?? '', files))
          : await decodeSigned('standing-offer', Buffer.from(signed, 'base64'))
      await standing.publish(offer)
      return await ownNamed(offer.id)
    },
    withdraw: async (name) => {
      await standing.withdraw(name)
      return await ownNamed(name)
    },
    prepareTaking: async (name, from, signal) => {
      const agreement = await standing.toTake(name, from, { signal })
      return { id: agreement.id, payload: base64(agreement.bytes.payload), view: draftView(agreement) }
    },
    take: async (name, from, signal) => {
      const agreement = await agreements.signAsSteward(await standing.toTake(name, from, { signal }))
      return await agreementViewOf((await agreements.propose(agreement, { signal })).agreement.id)
    }
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
