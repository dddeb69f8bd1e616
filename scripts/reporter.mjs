/**
 * Mocha's `spec` reporter, which lists what was skipped at the end and writes the totals to the file that
 * `DYNAMOS_TEST_TOTALS` names, as `passed failed skipped`.
 */
import { writeFileSync } from 'node:fs'
import Mocha from 'mocha'

const { EVENT_RUN_END, EVENT_TEST_PENDING } = Mocha.Runner.constants

export default class Totals extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const skipped = []
    runner.on(EVENT_TEST_PENDING, (test) => skipped.push(test.fullTitle()))
    runner.on(EVENT_RUN_END, () => {
      for (const title of skipped) process.stdout.write(`SKIPPED: ${title}\n`)
      const file = process.env.DYNAMOS_TEST_TOTALS
      const { passes, failures, pending } = this.stats
      if (file !== undefined) writeFileSync(file, `${passes} ${failures} ${pending}\n`)
    })
  }
}
