/** Made when the runner is bundled: every folder of `services/algorithm/` that has a manifest. */
declare module 'dynamos:algorithms' {
  import type { Algorithm } from '../algorithm/index.ts'
  export const algorithms: ReadonlyMap<string, Algorithm>
}
