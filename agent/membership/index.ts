/**
 * Who belongs to the marketplace. The authority's side is pure functions from documents to documents, made offline; the
 * member's side is {@link Members}: whom this agent believes to be whom, until when.
 *
 * @example
 * ```ts
 * const founded = await createMarketplace({ name: 'Universities', contact: 'board@example.org', discoveryKey: randomBytes(32) }, { keys: [key], now })
 * const { marketplace, membership } = await admit(founded, { organisation: 'VU', agents: [peer], stewards: [], roles: ['dataProvider'], speaksFor: ['vu.nl'] }, { keys: [key], now })
 * await writeFile('membership.json', packageText({ ...marketplace, membership }), { mode: 0o600 })
 * ```
 */
export {
  type Admission,
  type Authority,
  admit,
  type CharterInit,
  createMarketplace,
  type ExpulsionInit,
  expel,
  keysOf,
  type Marketplace,
  membershipOf,
  renewMembership,
  renewStatus,
  trusted
} from './authority.ts'
export { agreeable, cosign, type Missing, missingIn } from './cosigning.ts'
export {
  Expelled,
  FromTheFuture,
  MembershipExpired,
  MembershipFileInvalid,
  NotMember,
  NotToBeSigned
} from './errors.ts'
export {
  charterText,
  type JoinRequest,
  joinRequestText,
  type MembershipPackage,
  marketplaceText,
  type OpenedJoinRequest,
  openCharter,
  openJoinRequest,
  openMarketplace,
  openPackage,
  openProposal,
  openStatus,
  packageText,
  parseStatusFile,
  proposalText,
  statusText
} from './files.ts'
export {
  assertMember,
  Members,
  type MembersComponents,
  type MembersEvents,
  type MembershipChange,
  type MembershipStore,
  type MembersInit
} from './members.ts'
export { ownStanding, standingOf, type Unfit } from './standing.ts'
export type { StatusConflict } from './status-lists.ts'
export { assertByAuthorities, MAX_CLOCK_SKEW_MS, type Member } from './verify.ts'
