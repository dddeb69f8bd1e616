/** The process that checks a log, from its sources. */
import { register } from 'tsx/esm/api'

register()
await import('../../agent/audit/apart/main.ts')
