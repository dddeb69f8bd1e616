import '../../polyfill.ts'
import { setPriority } from 'node:os'
import { openLog } from '../../store/index.ts'
import { verifyLog } from '../log.ts'
import { task } from './task.ts'

/** Of nice(1): whoever has work to do goes first. */
const LAST = 19

// The agent is gone, or wants no answer any more.
process.once('disconnect', () => process.exit())
process.once('message', async (message) => {
  setPriority(LAST)
  const { file, ...place } = task.parse(message)
  const opened = await openLog(file)
  // The agent ends this process when it has read that: an end of its own could be noticed before what was said.
  process.send?.(await verifyLog(opened, place))
})
