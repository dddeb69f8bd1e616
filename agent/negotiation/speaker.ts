import { randomBytes } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import {
  type DocumentType,
  makeSection,
  type Payload,
  type SaltedSection,
  type Signed,
  sectionDigest,
  signFields
} from '../../protocol/documents/index.ts'

type Header = 'type' | 'version' | 'marketplace' | 'issuer' | 'issuedAt' | 'expires'
/** A payload without the fields that every document has. */
export type Body<T extends DocumentType> = Omit<Payload<T>, Header>

/** Who this agent is when it speaks. */
export interface Speaker {
  readonly peer: string
  readonly organisation: string
  /** Signs a document of this agent's own, valid for `lifetime` milliseconds from now. */
  sign<T extends DocumentType>(type: T, body: Body<T>, lifetime: number): Promise<Signed<T>>
  /** A section with its digest, under a fresh salt. */
  section(content: unknown): Promise<{ section: SaltedSection; digest: string }>
}

export interface SpeakerInit {
  key: PrivateKey
  peer: string
  organisation: string
  marketplace: string
  clock: { now(): number }
}

const SALT_BYTES = 16

export function createSpeaker({ key, peer, organisation, marketplace, clock }: SpeakerInit): Speaker {
  return {
    peer,
    organisation,
    async sign<T extends DocumentType>(type: T, body: Body<T>, lifetime: number): Promise<Signed<T>> {
      const now = clock.now()
      const header = { type, version: 1, marketplace, issuer: peer, issuedAt: now, expires: now + lifetime }
      return await signFields(type, { ...body, ...header }, key)
    },
    async section(content) {
      const section = makeSection(content, new Uint8Array(randomBytes(SALT_BYTES)))
      return { section, digest: await sectionDigest(section) }
    }
  }
}
