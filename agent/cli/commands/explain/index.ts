import type { Register } from '../../options.ts'

export const explainCommand: Register = (program, run) => {
  program
    .command('explain')
    .argument('[code]', 'such as no-agreement; omitted: lists all codes')
    .description('what the code of a refusal or failure means, and what to do')
    .action(run(async (context, input) => await (await import('./explain.ts')).explain(context, input)))
}
