import { type Check, isLacking } from '../check.ts'

export const configuration: Check = {
  name: 'configuration',
  look: ({ config, running }) => {
    if (!isLacking(config))
      return [
        { level: 'ok', message: config.file },
        ...config.warnings.map((warning) => ({ level: 'warning' as const, message: warning }))
      ]
    // Somebody who looks at an agent from elsewhere has no agent.yaml.
    if (!isLacking(running)) return []
    return [
      {
        level: 'error',
        code: config.code,
        message: config.message,
        mend: 'go to the folder of agent.yaml, name it with --config FILE, or make one: dynamos init --organisation NAME'
      }
    ]
  }
}
