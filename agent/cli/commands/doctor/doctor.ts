import type { Context } from '../../context.ts'
import { EXIT } from '../../exit.ts'
import { plain } from '../../render/index.ts'
import type { Found, Level } from './check.ts'
import { CHECKS } from './checks/index.ts'
import { examine } from './patient.ts'

const MARKS: Readonly<Record<Level, string>> = { ok: '✓', warning: '!', error: '✗' }

/** Looks at everything that may keep an agent from working, and says how to mend what does. */
export async function doctor(context: Context): Promise<number> {
  const patient = await examine(context)
  const findings: (Found & { check: string })[] = []
  for (const check of CHECKS)
    for (const found of await check.look(patient)) findings.push({ check: check.name, ...found })
  const healthy = findings.every(({ level }) => level !== 'error')
  context.answer(
    {
      healthy,
      findings: findings.map(({ check, level, code, message, mend }) => ({
        check,
        level,
        code: code ?? null,
        message,
        mend: mend ?? null
      }))
    },
    () =>
      findings
        .flatMap(({ check, level, message, mend }) => [
          `${MARKS[level]} ${check}: ${plain(message)}`,
          ...(mend === undefined ? [] : [`    → ${plain(mend)}`])
        ])
        .join('\n')
  )
  return healthy ? EXIT.done : EXIT.failed
}
