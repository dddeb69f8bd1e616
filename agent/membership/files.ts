import { isDeepStrictEqual } from 'node:util'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { z } from 'zod'
import {
  type DocumentType,
  decodeSigned,
  encodePlain,
  encodeSigned,
  membership as membershipSchema,
  type Signed
} from '../../protocol/documents/index.ts'
import { toError } from '../../protocol/errors/index.ts'
import type { Marketplace } from './authority.ts'
import { MembershipFileInvalid } from './errors.ts'
import { StatusLists } from './status-lists.ts'
import { assertThreshold, verifyCharter, verifyMember, verifyStatus } from './verify.ts'

const MAX_FILE_BYTES = 4 << 20
const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/, 'expected base64')
const secret = z.string().regex(/^[0-9a-f]{64,128}$/, 'expected a secret in hex')

/** A signed document in a file: to read (`payload`), and to believe (`signed`). Both must say the same. */
const signedPart = z.strictObject({ payload: z.record(z.string(), z.unknown()), signed: base64 })
type SignedPart = z.infer<typeof signedPart>

const charterFile = z.strictObject({
  kind: z.literal('dynamos-charter'),
  version: z.literal(1),
  charter: signedPart
})
const packageFile = z.strictObject({
  kind: z.literal('dynamos-membership'),
  version: z.literal(1),
  marketplace: z.string(),
  membership: signedPart,
  charter: signedPart,
  status: signedPart,
  /** Secret among members: whoever has it can read the DHT's keys. */
  discoveryKey: secret
})
const statusFile = z.strictObject({
  kind: z.literal('dynamos-status'),
  version: z.literal(1),
  status: signedPart
})
const marketplaceFile = z.strictObject({
  kind: z.literal('dynamos-marketplace'),
  version: z.literal(1),
  charter: signedPart,
  status: signedPart,
  memberships: z.array(signedPart).max(4096),
  former: z
    .array(
      z.strictObject({
        organisation: membershipSchema.shape.organisation,
        peer: membershipSchema.shape.issuer,
        until: membershipSchema.shape.expires
      })
    )
    .max(65_536)
    .default([]),
  discoveryKey: secret
})
/** What holders of authority keys hand around until enough of them have signed. */
const proposalFile = z.strictObject({ ...marketplaceFile.shape, kind: z.literal('dynamos-proposal') })

const { organisation, roles, stewards, speaksFor, about, issuer } = membershipSchema.shape
const joinBody = z.strictObject({
  kind: z.literal('dynamos-join-request'),
  version: z.literal(1),
  /** The marketplace's id, from its charter. */
  marketplace: z.string(),
  /** Peer id of the agent that wants to join. */
  peer: issuer,
  organisation,
  roles,
  stewards,
  speaksFor,
  about,
  /** Keys of the organisation that these take the place of. */
  replaces: z.array(issuer).max(32).exactOptional()
})
const endorsement = z.strictObject({ peer: issuer, proof: base64 })
const joinFile = z.strictObject({
  ...joinBody.shape,
  proof: base64,
  /** The same, signed by the key before: so the authority knows that it is the same organisation. */
  endorsed: endorsement.exactOptional()
})
/** What an agent tells the authority. */
export type JoinRequest = z.infer<typeof joinBody>
/** A join request, and the keys that are proved to be its sender's: the asking agent's, and the one before if it signed. */
export type OpenedJoinRequest = JoinRequest & { readonly provedBy: readonly string[] }

/** What a member installs: its membership, and what it needs to check others'. */
export interface MembershipPackage {
  readonly membership: Signed<'membership'>
  readonly charter: Signed<'charter'>
  readonly status: Signed<'status'>
  readonly discoveryKey: Uint8Array
}

function partOf(document: Signed<DocumentType>): SignedPart {
  return { payload: { ...document.payload }, signed: Buffer.from(encodeSigned(document)).toString('base64') }
}

async function openPart<T extends DocumentType>(type: T, part: SignedPart): Promise<Signed<T>> {
  const document = await decodeSigned(type, new Uint8Array(Buffer.from(part.signed, 'base64')))
  if (!isDeepStrictEqual(JSON.parse(JSON.stringify(document.payload)), part.payload)) {
    throw new MembershipFileInvalid(
      `${type}: the readable part differs from what was signed; ask for the file again`
    )
  }
  return document
}

function parseFile<T>(text: string, schema: z.ZodType<T>, what: string): T {
  if (text.length > MAX_FILE_BYTES)
    throw new MembershipFileInvalid(`expected ${what}, found ${text.length} characters`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new MembershipFileInvalid(`expected ${what}, found no JSON`, { cause: toError(cause) })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new MembershipFileInvalid(
    `expected ${what}: ${issue === undefined ? '' : `${issue.path.join('.')}: ${issue.message}`}`
  )
}

function print(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

/** The charter as a public file: what `marketplace join` reads. */
export function charterText(charter: Signed<'charter'>): string {
  return print({ kind: 'dynamos-charter', version: 1, charter: partOf(charter) })
}

/** @throws {MembershipFileInvalid}, {BadSignature}, {MalformedDocument} */
export async function openCharter(text: string): Promise<Signed<'charter'>> {
  const file = parseFile(text, charterFile, 'a charter')
  return verifyCharter(await openPart('charter', file.charter))
}

export function statusText(status: Signed<'status'>): string {
  return print({ kind: 'dynamos-status', version: 1, status: partOf(status) })
}

/** @throws {MembershipFileInvalid}, {BadSignature}, {MalformedDocument}, {NotMember} */
export async function openStatus(text: string, charter: Signed<'charter'>): Promise<Signed<'status'>> {
  const file = parseFile(text, statusFile, 'a status list')
  return verifyStatus(await openPart('status', file.status), charter)
}

/**
 * A status list that whoever reads it cannot judge, as they have no charter: its signatures are good, whoever gave them.
 *
 * @throws {MembershipFileInvalid}, {BadSignature}, {MalformedDocument}
 */
export async function parseStatusFile(text: string): Promise<Signed<'status'>> {
  return await openPart('status', parseFile(text, statusFile, 'a status list').status)
}

/** The file a new member takes home. Secret: write it with mode 0600. */
export function packageText(contents: MembershipPackage): string {
  return print({
    kind: 'dynamos-membership',
    version: 1,
    marketplace: contents.charter.id,
    membership: partOf(contents.membership),
    charter: partOf(contents.charter),
    status: partOf(contents.status),
    discoveryKey: Buffer.from(contents.discoveryKey).toString('hex')
  })
}

/**
 * Opens a membership package: the readable parts agree with what was signed, the charter with itself, and membership and
 * status list with the charter. Whether the membership is current, and this agent's, is for {@link Members.open}.
 *
 * @throws {MembershipFileInvalid}, {BadSignature}, {MalformedDocument}, {NotMember}
 */
export async function openPackage(text: string): Promise<MembershipPackage> {
  const file = parseFile(text, packageFile, 'a membership package')
  const charter = verifyCharter(await openPart('charter', file.charter))
  if (file.marketplace !== charter.id) {
    throw new MembershipFileInvalid(
      `expected the charter of ${file.marketplace}, found that of ${charter.id}`
    )
  }
  const status = verifyStatus(await openPart('status', file.status), charter)
  const membership = await openPart('membership', file.membership)
  verifyMember(
    membership,
    { charter, expelled: new StatusLists(status).expelled },
    membership.payload.issuedAt
  )
  return { charter, status, membership, discoveryKey: new Uint8Array(Buffer.from(file.discoveryKey, 'hex')) }
}

function stateOf(marketplace: Marketplace) {
  return {
    charter: partOf(marketplace.charter),
    status: partOf(marketplace.status),
    memberships: marketplace.memberships.map(partOf),
    former: marketplace.former.map((key) => ({ ...key })),
    discoveryKey: Buffer.from(marketplace.discoveryKey).toString('hex')
  }
}

/** The authority's own state. Secret: write it with mode 0600. */
export function marketplaceText(marketplace: Marketplace): string {
  return print({ kind: 'dynamos-marketplace', version: 1, ...stateOf(marketplace) })
}

/** @throws {MembershipFileInvalid}, {BadSignature}, {MalformedDocument}, {NotMember} */
export async function openMarketplace(text: string): Promise<Marketplace> {
  const marketplace = await openState(parseFile(text, marketplaceFile, 'the state of a marketplace'))
  verifyCharter(marketplace.charter)
  verifyStatus(marketplace.status, marketplace.charter)
  return marketplace
}

/** The next state, as far as it is signed. Secret as the state is. */
export function proposalText(marketplace: Marketplace): string {
  return print({ kind: 'dynamos-proposal', version: 1, ...stateOf(marketplace) })
}

/**
 * Opens what another holder of an authority key proposes. Whether enough have signed is another question (`missingIn`).
 *
 * @throws {MembershipFileInvalid}, {BadSignature}, {MalformedDocument}
 */
export async function openProposal(text: string): Promise<Marketplace> {
  const marketplace = await openState(parseFile(text, proposalFile, 'a proposal of an authority'))
  const { charter, status, memberships } = marketplace
  assertThreshold(charter.payload)
  for (const { type, payload, signers } of [charter, status, ...memberships]) {
    const stranger = signers.find((signer) => !charter.payload.authorities.includes(signer))
    if (stranger !== undefined)
      throw new MembershipFileInvalid(
        `${type}: expected signatures of authorities of ${charter.payload.name}, found one of ${stranger}`
      )
    if (type !== 'charter' && payload.marketplace !== charter.id)
      throw new MembershipFileInvalid(
        `${type}: expected one of marketplace ${charter.id}, found one of ${payload.marketplace}`
      )
  }
  return marketplace
}

async function openState(
  file: Omit<z.infer<typeof marketplaceFile>, 'kind' | 'version'>
): Promise<Marketplace> {
  return {
    charter: await openPart('charter', file.charter),
    status: await openPart('status', file.status),
    memberships: await Promise.all(file.memberships.map(async (part) => await openPart('membership', part))),
    former: file.former,
    discoveryKey: new Uint8Array(Buffer.from(file.discoveryKey, 'hex'))
  }
}

/** What a member-to-be sends to the authority; a member with a new key has the one before sign it too, if it still has it. */
export async function joinRequestText(
  request: Omit<JoinRequest, 'kind' | 'version' | 'peer'>,
  key: PrivateKey,
  before?: PrivateKey
): Promise<string> {
  const body = joinBody.parse({
    kind: 'dynamos-join-request',
    version: 1,
    peer: peerIdFromPrivateKey(key).toString(),
    ...request
  })
  const proofBy = async (signer: PrivateKey): Promise<string> =>
    Buffer.from(await signer.sign(encodePlain(body))).toString('base64')
  const endorsed =
    before === undefined
      ? {}
      : { endorsed: { peer: peerIdFromPrivateKey(before).toString(), proof: await proofBy(before) } }
  return print({ ...body, proof: await proofBy(key), ...endorsed })
}

/** @throws {MembershipFileInvalid} also when the one who asks does not hold the key */
export async function openJoinRequest(text: string): Promise<OpenedJoinRequest> {
  const { proof, endorsed, ...body } = parseFile(text, joinFile, 'a join request')
  const proofs = [{ peer: body.peer, proof }, ...(endorsed === undefined ? [] : [endorsed])]
  for (const one of proofs) {
    const key = peerIdFromString(one.peer).publicKey
    const good = key !== undefined && (await key.verify(encodePlain(body), Buffer.from(one.proof, 'base64')))
    if (!good)
      throw new MembershipFileInvalid(
        `expected a join request signed by ${one.peer}, found one altered or signed by another`
      )
  }
  return { ...body, provedBy: proofs.map(({ peer }) => peer) }
}
