import type { Register } from '../../options.ts'

export const doctorCommand: Register = (program, run) => {
  program
    .command('doctor')
    .description('what is wrong with this agent, and the command that mends it')
    .action(run(async (context) => await (await import('./doctor.ts')).doctor(context)))
}
