import { join } from 'node:path'

/** The folders of a job. */
export interface JobPlace {
  root: string
  in: string
  out: string
  /** For spilled data and copies; inside the job's folder, so that it counts and is wiped. */
  scratch: string
}

export function jobPlace(root: string): JobPlace {
  return { root, in: join(root, 'in'), out: join(root, 'out'), scratch: join(root, 'tmp') }
}
