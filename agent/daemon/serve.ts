import type { z } from 'zod'
import { DynamosError } from '../../protocol/errors/index.ts'
import {
  AGREEMENT_NOTICE_PROTOCOL,
  AGREEMENT_PROTOCOL,
  type AgreementNotice,
  agreementNotice,
  agreementNoticeReply,
  agreementProposal,
  agreementReply,
  MESSAGE_LIMITS,
  protocolOf,
  STANDING_OFFERS_PROTOCOL,
  type StandingQuestion,
  type StandingReply,
  standingQuestion,
  standingReply,
  type WireKind,
  type WireMessage,
  wireMessage,
  wireReply
} from '../../protocol/messages/index.ts'
import { FLOW_PROTOCOL } from '../../protocol/transfer/index.ts'
import type { Agreement, AgreementReply, Agreements } from '../agreements/index.ts'
import type { FlowStreams } from '../exchange/index.ts'
import type { Members } from '../membership/index.ts'
import type { Exchanges } from '../negotiation/index.ts'
import type { Network } from '../network/index.ts'
import { statusNumbersIn } from './status-numbers.ts'

const REDIAL_MS = 2000
/** Each one that is shown is kept: people sign few. */
const AGREEMENT_LIMITS = { maxBytes: 256 * 1024, ratePerSecond: 2, burst: 40, timeoutMs: 10_000 }

/** Sends one message of a negotiation and returns the answers that were ready at once. */
export async function postMessage(
  network: Network,
  to: string,
  message: WireMessage
): Promise<WireMessage[]> {
  const { timeoutMs } = MESSAGE_LIMITS[message.kind]
  return (await network.ask(to, protocolOf(message.kind), message, wireReply, { timeoutMs })).messages
}

/** Shows an agreement to the first agent of an organisation that answers. */
export async function showAgreement(
  network: Network,
  members: Members,
  party: string,
  agreement: Agreement,
  options?: { signal?: AbortSignal }
): Promise<AgreementReply> {
  return await askParty(
    members,
    party,
    async (peer) =>
      await network.ask(peer, AGREEMENT_PROTOCOL, { agreement: agreement.bytes }, agreementReply, options),
    agreement.standing?.payload.issuer
  )
}

/** Asks an organisation's agents what they offer. */
export async function askForOffers(
  network: Network,
  members: Members,
  party: string,
  question: StandingQuestion,
  options?: { signal?: AbortSignal }
): Promise<StandingReply> {
  return await askParty(
    members,
    party,
    async (peer) => await network.ask(peer, STANDING_OFFERS_PROTOCOL, question, standingReply, options)
  )
}

/** Tells the first agent of an organisation that answers of a refusal or a revocation. */
export async function tellOfAgreement(
  network: Network,
  members: Members,
  party: string,
  notice: AgreementNotice,
  options?: { signal?: AbortSignal }
): Promise<void> {
  await askParty(
    members,
    party,
    async (peer) => await network.ask(peer, AGREEMENT_NOTICE_PROTOCOL, notice, agreementNoticeReply, options)
  )
}

/** @param first the agent to try before the others, when it is one of that organisation */
async function askParty<T>(
  members: Members,
  party: string,
  ask: (peer: string) => Promise<T>,
  first?: string
): Promise<T> {
  let last: unknown = new DynamosError('provider-missing', `no agent of ${party} is known here`)
  const agents = members.byOrganisation(party)?.agents ?? []
  for (const peer of [...agents].sort((one, other) => Number(other === first) - Number(one === first))) {
    try {
      return await ask(peer)
    } catch (error) {
      last = error
    }
  }
  throw last
}

export interface Served {
  network: Network
  members: Members
  agreements: Agreements
  exchanges: Exchanges
  flows: FlowStreams
}

/** Answers the protocols of negotiations, agreements and flows, and tells exchanges of parties that are gone. */
export function serveExchanges({ network, members, agreements, exchanges, flows }: Served): void {
  network.handle(
    AGREEMENT_PROTOCOL,
    agreementProposal,
    async (message: z.infer<typeof agreementProposal>, { peer }) => {
      return await agreements.shown(message, peer)
    },
    AGREEMENT_LIMITS
  )
  network.handle(
    AGREEMENT_NOTICE_PROTOCOL,
    agreementNotice,
    async (notice: AgreementNotice) => {
      await agreements.proposals.noticed(notice)
      return { taken: true }
    },
    { ...AGREEMENT_LIMITS, maxBytes: 16 * 1024 }
  )
  network.handle(
    STANDING_OFFERS_PROTOCOL,
    standingQuestion,
    async (question: StandingQuestion, { peer }) =>
      await agreements.standing.answer(question, members.organisationOf(peer)),
    { ...AGREEMENT_LIMITS, maxBytes: 4 * 1024 }
  )
  for (const kind of Object.keys(MESSAGE_LIMITS).filter(isWireKind)) {
    network.handle(
      protocolOf(kind),
      wireMessage,
      async (message: WireMessage, { peer }) => {
        if (message.kind !== kind) {
          throw new DynamosError('malformed-document', `expected a message ${kind}, found ${message.kind}`)
        }
        const messages = await exchanges.receive(peer, message)
        // A start that proves nothing is answered, not thrown, and leaves no trace in the exchange.
        for (const said of messages)
          if (said.kind === 'rejected')
            network.emit('refused', { peer, protocol: protocolOf(kind), code: said.code })
        for (const named of statusNumbersIn(message)) network.statusHeard(named.peer, named.number)
        return { messages }
      },
      MESSAGE_LIMITS[kind]
    )
  }
  network.handleStream(
    FLOW_PROTOCOL,
    async (stream, { peer, signal }) => await flows.serve(stream, peer, signal)
  )
  network.on('peer:gone', ({ peer }) => {
    // A connection that broke is not yet a party that is lost.
    for (const exchange of exchanges.withParty(peer)) {
      void network.dial(peer, [], { timeoutMs: REDIAL_MS }).catch(() => {
        exchanges.lost(exchange, peer)
      })
    }
  })
}

function isWireKind(name: string): name is WireKind {
  return name in MESSAGE_LIMITS
}
