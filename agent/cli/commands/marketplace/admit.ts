import { join, resolve } from 'node:path'
import { z } from 'zod'
import { readUserFile } from '../../../config/index.ts'
import { replacePrivateFile } from '../../../identity/index.ts'
import {
  type Admission,
  admit,
  type Marketplace,
  MembershipFileInvalid,
  openJoinRequest,
  packageText
} from '../../../membership/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { openAuthority, saveAuthority } from './authority-folder.ts'

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

async function admissionOf(
  request: string,
  options: z.infer<typeof admitOptions>,
  context: Context,
  marketplace: string
): Promise<Admission> {
  if (PEER.test(request)) {
    if (options.organisation === undefined)
      throw new UsageError(
        `${request} is a peer id: name its --organisation, or give the file that "marketplace join" wrote`
      )
    const { organisation, role: roles, steward: stewards, speaksFor } = options
    return { organisation, agents: [request], roles, stewards, speaksFor }
  }
  const { text } = await readUserFile(resolve(context.terminal.cwd, request))
  const asked = await openJoinRequest(text)
  if (asked.marketplace !== marketplace)
    throw new MembershipFileInvalid(
      `${request}: expected a request to join marketplace ${marketplace}, found one for ${asked.marketplace}`
    )
  const { organisation, peer, stewards, roles, speaksFor, about } = asked
  return { organisation, agents: [peer], stewards, roles, speaksFor, about }
}

/** An organisation may run several agents: a further one joins those it has. */
function withEarlier(admission: Admission, { memberships }: Marketplace): Admission {
  const earlier = memberships.find(({ payload }) => payload.organisation === admission.organisation)
  if (earlier === undefined) return admission
  const both = <T>(one: readonly T[], other: readonly T[]) => [...new Set([...one, ...other])]
  const { agents, stewards, roles, speaksFor } = earlier.payload
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
  const { files, marketplace: founded, by } = await openAuthority(context, options.dir)
  let marketplace = founded
  const admitted: { organisation: string; agents: string[]; expires: string; file: string }[] = []
  for (const request of requests) {
    const asked = await admissionOf(request, options, context, founded.charter.id)
    const result = await admit(marketplace, options.replace ? asked : withEarlier(asked, marketplace), by)
    marketplace = result.marketplace
    const { organisation, agents, expires } = result.membership.payload
    const file =
      options.out === undefined
        ? join(files.folder, `${organisation}.membership.json`)
        : resolve(context.terminal.cwd, options.out)
    // Kept before it is given away: a membership the authority forgot could never be renewed.
    await saveAuthority(files, marketplace)
    await replacePrivateFile(file, packageText({ ...marketplace, membership: result.membership }))
    admitted.push({ organisation, agents, expires: new Date(expires).toISOString(), file })
  }
  context.answer({ marketplace: marketplace.charter.id, admitted }, () =>
    [
      ...admitted.map(
        ({ organisation, expires, file }) =>
          `${context.style.bold(organisation)} is a member until ${expires}: ${file}`
      ),
      '',
      'Send each its file over a safe way (it holds a secret of the members); there: dynamos marketplace install FILE'
    ].join('\n')
  )
  return undefined
}
