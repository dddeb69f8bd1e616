/** Commits numbers one after the other and says each on standard output once it is on disk; runs until it is killed. */
import '../../agent/polyfill.ts'
import { writeSync } from 'node:fs'
import { openStore } from '../../agent/store/index.ts'

const store = await openStore(process.argv[2] ?? '')
for (let number = 1; ; number++) {
  await store.transaction(async (tx) => {
    await tx.settings.set('number', String(number))
    await tx.events.append('r', { number })
    await tx.documents.put({ id: `d${number}`, type: 't', bytes: new Uint8Array(900), receivedAt: number })
  })
  writeSync(1, `${number}\n`)
}
