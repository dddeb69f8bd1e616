import { z } from 'zod'
import { memberView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { table } from '../../render/index.ts'

export async function members(context: Context): Promise<undefined> {
  const client = await context.client()
  const found = await client.get('/api/v1/members', z.array(memberView))
  context.answer(found, () =>
    table(
      [{ title: 'organisation' }, { title: 'roles' }, { title: 'until' }, { title: 'agents' }],
      found.map(({ organisation, roles, expires, agents }) => [
        organisation,
        roles.join(', '),
        expires,
        agents.join(' ')
      ]),
      { style: context.style }
    )
  )
  return undefined
}
