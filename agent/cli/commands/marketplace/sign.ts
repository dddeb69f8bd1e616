import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { instantText } from '../../../../protocol/errors/index.ts'
import { readUserFile } from '../../../config/index.ts'
import { replacePrivateFile } from '../../../identity/index.ts'
import {
  agreeable,
  cosign,
  type Marketplace,
  missingIn,
  openProposal,
  proposalText
} from '../../../membership/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions } from '../../options.ts'
import { openKey } from '../../passphrase.ts'
import { authorityFiles, openState, pendingLines, readSigned, settle } from './authority-folder.ts'
import { pendingOf } from './create.ts'

/** What a signature under a proposal would say, beyond what holds already. */
export function changesOf(own: Marketplace | undefined, next: Marketplace): string[] {
  const { charter, status, memberships } = next
  const { name, threshold, authorities } = charter.payload
  const founded =
    own === undefined ? [`founds ${name}: ${threshold} of ${authorities.length} authorities decide`] : []
  const expelled = new Set(own?.status.payload.expelled.map((one) => one.peer))
  const known = new Set(own?.memberships.map(({ id }) => id))
  return [
    ...founded,
    ...(status.id === own?.status.id ? [] : [`status list ${status.payload.number}`]),
    ...status.payload.expelled
      .filter(({ peer }) => !expelled.has(peer))
      .map(
        ({ peer, reason, stolenFrom }) =>
          `expels ${peer}${stolenFrom === undefined ? '' : `, stolen from ${instantText(stolenFrom)}`}${reason === undefined ? '' : `: ${reason}`}`
      ),
    ...memberships
      .filter(({ id }) => !known.has(id))
      .map(
        ({ payload }) =>
          `${payload.organisation} is a member until ${instantText(payload.expires)}: agents ${payload.agents.join(', ')}; stewards ${payload.stewards.join(', ') || 'none'}; roles ${payload.roles.join(', ') || 'none'}; speaks for ${payload.speaksFor.join(', ') || 'nobody'}`
      )
  ]
}

/** Another authority's signature under what one has proposed. */
export async function sign(context: Context, input: Input): Promise<undefined> {
  const [file] = parseOptions(input.args, z.tuple([z.string()]))
  const { dir, show } = parseOptions(
    input.options,
    z.object({ dir: z.string(), show: z.boolean().default(false) })
  )
  const files = authorityFiles(context, dir)
  const path = resolve(context.terminal.cwd, file)
  const proposed = await openProposal((await readUserFile(path)).text)
  const [state, signed] = await Promise.all([openState(files), readSigned(files)])
  const agreed = agreeable(state, proposed, signed)
  const changes = changesOf(state, agreed)
  if (show) {
    const { signatures: missing, from } = missingIn(agreed)
    context.answer({ changes, missing, from }, () =>
      [
        ...changes,
        missing === 0 ? 'Enough have signed.' : `${missing} more of ${from.join(', ')} have to sign.`
      ].join('\n')
    )
    return undefined
  }
  await mkdir(files.folder, { recursive: true, mode: 0o700 })
  const next = await cosign(agreed, await openKey(files.key, context.terminal))
  const settled = await settle({ files, state, signed }, next)
  // The file goes on, or back to who made it, with this signature.
  if (path !== files.proposal || settled.pending === null) await replacePrivateFile(path, proposalText(next))
  const { packages } = settled
  context.answer({ changes, complete: settled.pending === null, packages, ...pendingOf(settled) }, () =>
    [
      'Signed:',
      ...changes.map((line) => `  ${line}`),
      ...(settled.pending === null
        ? [
            'Enough have signed; it holds.',
            `  ${files.status}  tell one member: dynamos marketplace publish ${files.status}`,
            ...packages.map((one) => `  ${one.file}  for ${one.organisation}`),
            `Give ${path} back to the other authorities; there: dynamos marketplace sign FILE`
          ]
        : pendingLines(settled))
    ].join('\n')
  )
  return undefined
}
