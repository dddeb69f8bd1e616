import { resolve } from 'node:path'
import { z } from 'zod'
import { readUserFile } from '../../../config/index.ts'
import {
  type Admission,
  admit,
  type Marketplace,
  MembershipFileInvalid,
  membershipOf,
  openJoinRequest,
  trusted
} from '../../../membership/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { openAuthority, pendingLines, settle } from './authority-folder.ts'
import { pendingOf } from './create.ts'

const admitOptions = z.object({
  dir: z.string(),
  out: z.string().optional(),
  organisation: z.string().optional(),
  role: z.array(z.enum(['dataProvider', 'computeProvider'])).default([]),
  steward: z.array(z.string()).default([]),
  speaksFor: z.array(z.string()).default([]),
  replace: z.boolean().default(false)
})
const PEER = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/

interface Asked {
  admission: Admission
  /** Keys that these take the place of. */
  replaces: readonly string[]
  /** Keys that signed what was asked; none for a bare peer id. */
  provedBy: readonly string[]
}

async function askedIn(
  request: string,
  options: z.infer<typeof admitOptions>,
  context: Context,
  marketplace: string
): Promise<Asked> {
  if (PEER.test(request)) {
    if (options.organisation === undefined)
      throw new UsageError(
        `${request} is a peer id: name its --organisation, or give the file that "marketplace join" wrote`
      )
    const { organisation, role: roles, steward: stewards, speaksFor } = options
    return {
      admission: { organisation, agents: [request], roles, stewards, speaksFor },
      replaces: [],
      provedBy: []
    }
  }
  const { text } = await readUserFile(resolve(context.terminal.cwd, request))
  const asked = await openJoinRequest(text)
  if (asked.marketplace !== marketplace)
    throw new MembershipFileInvalid(
      `${request}: expected a request to join marketplace ${marketplace}, found one for ${asked.marketplace}`
    )
  const { organisation, peer, stewards, roles, speaksFor, about, replaces = [], provedBy } = asked
  return {
    admission: { organisation, agents: [peer], stewards, roles, speaksFor, about },
    replaces,
    provedBy
  }
}

/** Anybody can write a request in the name of a member: one that a key of that member did not sign is to be checked by people. */
function warnOfUnproved({ admission, provedBy }: Asked, marketplace: Marketplace, context: Context): void {
  const { organisation } = admission
  const earlier = membershipOf(marketplace, organisation)
  if (
    earlier === undefined ||
    trusted(marketplace, earlier.payload.agents).some((key) => provedBy.includes(key))
  )
    return
  context.say(
    `warning: ${organisation} is a member already, and none of its keys signed this request; make sure in another way that it comes from there`
  )
}

/** An organisation may run several agents: a further one joins those it has. */
function withEarlier({ admission, replaces }: Asked, marketplace: Marketplace): Admission {
  const earlier = membershipOf(marketplace, admission.organisation)
  if (earlier === undefined) return admission
  const both = <T>(one: readonly T[], other: readonly T[]) => [...new Set([...one, ...other])]
  const kept = (keys: readonly string[]) =>
    trusted(marketplace, keys).filter((key) => !replaces.includes(key))
  const { roles, speaksFor } = earlier.payload
  const [agents, stewards] = [kept(earlier.payload.agents), kept(earlier.payload.stewards)]
  return {
    ...admission,
    agents: both(agents, admission.agents),
    stewards: both(stewards, admission.stewards),
    roles: both(roles, admission.roles),
    speaksFor: both(speaksFor, admission.speaksFor)
  }
}

export async function admitMembers(context: Context, input: Input): Promise<undefined> {
  const requests = parseOptions(input.args, z.array(z.string()).min(1))
  const options = parseOptions(input.options, admitOptions)
  if (options.out !== undefined && requests.length > 1)
    throw new UsageError('--out names one file; leave it out to admit several')
  const desk = await openAuthority(context, options.dir)
  let { marketplace } = desk
  const outputs = new Map<string, string>()
  const organisations = new Set<string>()
  for (const request of requests) {
    const asked = await askedIn(request, options, context, marketplace.charter.id)
    const { organisation } = asked.admission
    warnOfUnproved(asked, marketplace, context)
    const admission = options.replace ? asked.admission : withEarlier(asked, marketplace)
    marketplace = (await admit(marketplace, admission, desk.by)).marketplace
    organisations.add(organisation)
    if (options.out !== undefined) outputs.set(organisation, resolve(context.terminal.cwd, options.out))
  }
  const settled = await settle(desk, marketplace, outputs)
  const admitted = settled.packages.filter(({ organisation }) => organisations.has(organisation))
  context.answer({ marketplace: marketplace.charter.id, admitted, ...pendingOf(settled) }, () =>
    [
      ...admitted.map(
        ({ organisation, expires, file }) =>
          `${context.style.bold(organisation)} is a member until ${expires}: ${file}`
      ),
      '',
      ...(settled.pending === null
        ? [
            'Send each its file over a safe way (it holds a secret of the members); there: dynamos marketplace install FILE'
          ]
        : pendingLines(settled))
    ].join('\n')
  )
  return undefined
}
