import { SCHEMA } from '../../../../policy/index.ts'
import type { Context } from '../../context.ts'

/** Needs no agent: the schema is of this program. */
export async function schema(context: Context): Promise<undefined> {
  context.answer({ schema: SCHEMA }, () => SCHEMA.trimEnd())
  return undefined
}
