import { z } from 'zod'
import { encodePlain, MalformedDocument } from '../../../protocol/documents/index.ts'
import {
  agreementNotice,
  agreementNoticeReply,
  agreementProposal,
  agreementReply,
  wireMessage,
  wireReply
} from '../../../protocol/messages/index.ts'
import {
  changed,
  described,
  encodeRefusal,
  encodeReply,
  hello,
  helloReply,
  openReply,
  PeerRefused,
  providersPage,
  providersQuestion,
  shownMembership,
  statusReply
} from '../../../protocol/streams/index.ts'
import { mutateCbor } from '../mutate-cbor.ts'
import type { Target } from '../target.ts'
import { readPlain, signedSamples } from './documents.ts'
import { sampleOf } from './samples.ts'

/** What goes over streams, by the name of its protocol. */
const MESSAGES: Readonly<Record<string, z.ZodType>> = {
  negotiation: wireMessage,
  'negotiation-reply': wireReply,
  hello,
  'hello-reply': helloReply,
  status: statusReply,
  membership: shownMembership,
  changed,
  describe: described,
  'providers-question': providersQuestion,
  'providers-page': providersPage,
  'agreement-proposal': agreementProposal,
  'agreement-reply': agreementReply,
  'agreement-notice': agreementNotice,
  'agreement-notice-reply': agreementNoticeReply
}

function optionsOf(schema: z.ZodType): readonly z.ZodType[] {
  const union = z.looseObject({ options: z.array(z.custom<z.ZodType>()) }).safeParse(schema.def)
  return union.success ? union.data.options : [schema]
}

const carried = signedSamples.map(({ signed }) => signed)

const messages: Target[] = Object.entries(MESSAGES).map(([name, schema]) => ({
  name: `message/${name}`,
  mutate: mutateCbor,
  seeds: async () => [
    ...optionsOf(schema).map((option) => encodePlain(sampleOf(option))),
    ...(name === 'negotiation'
      ? carried.map((acceptance) => encodePlain({ kind: 'acceptance', acceptance }))
      : [])
  ],
  read: (bytes) => readPlain(bytes, schema)
}))

/** A reply, or a peer's own words in its place. */
const reply: Target = {
  name: 'message/reply',
  mutate: mutateCbor,
  seeds: async () => [
    encodeReply({ messages: [] }),
    encodeRefusal(new MalformedDocument('no')),
    encodeReply(sampleOf(wireReply))
  ],
  read(bytes) {
    try {
      openReply(bytes, wireReply)
    } catch (thrown) {
      // Its code is the peer's, published or not: what is done about it is for whoever asked.
      if (!(thrown instanceof PeerRefused)) throw thrown
    }
  }
}

export const messageTargets: readonly Target[] = [...messages, reply]
