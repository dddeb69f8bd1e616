import { z } from 'zod'
import { nearest } from '../../../../protocol/errors/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { explainedCodes, pageOf } from '../../pages.ts'

/** As problems of the HTTP interface name it. */
const TYPE = /^urn:dynamos:error:/

export async function explain(context: Context, input: Input): Promise<undefined> {
  const [asked] = parseOptions(input.args, z.tuple([]).or(z.tuple([z.string()])))
  if (asked === undefined) {
    const codes = explainedCodes()
    context.answer({ codes }, () => codes.join('\n'))
    return
  }
  const code = asked.replace(TYPE, '')
  const page = pageOf(code)
  if (page === undefined) {
    const near = nearest(code, explainedCodes())
    throw new UsageError(
      `expected a code, found "${code}"${near === undefined ? '; dynamos explain lists all' : `; did you mean "${near}"?`}`
    )
  }
  context.answer({ code, page }, () => page.trimEnd())
}
