import type { Command } from 'commander'
import { collect, type Register } from '../../options.ts'

function following(command: Command): Command {
  return command
    .option(
      '--out <dir>',
      'also write all of it into this folder: results, pictures, contract, a page that tells it'
    )
    .option('--overwrite', 'files of the same names are replaced')
    .option('--timeout <seconds>', 'wait no longer; the request itself goes on')
}

function waiting(command: Command): Command {
  return following(command).option('--detach', 'do not wait')
}

export const requestCommands: Register = (program, run) => {
  const request = program.command('request').description('ask for data')
  request
    .command('new')
    .requiredOption('--dataset <id>', 'the dataset; repeatable', collect)
    .option('--out <file>', 'write it there; standard output, unless told')
    .description('a request file to edit, with what the dataset offers, explained line by line')
    .action(run(async (context, input) => await (await import('./new.ts')).newRequest(context, input)))
  waiting(
    request
      .command('submit')
      .argument('<file>', 'the request, YAML or JSON; - is standard input')
      .description('submit a request, show its progress and wait; Ctrl-C cancels it')
  ).action(run(async (context, input) => await (await import('./submit.ts')).submit(context, input)))
  request
    .command('explain')
    .argument('<file>', 'the request, YAML or JSON; - is standard input')
    .description("dry run: every hop's answer, every candidate with its scores; runs nothing")
    .action(run(async (context, input) => await (await import('./explain.ts')).explain(context, input)))
  request
    .command('list')
    .description('requests of this agent')
    .action(run(async (context) => await (await import('./look.ts')).list(context)))
  request
    .command('status')
    .argument('<id>', 'the request')
    .description('how a request stands')
    .action(run(async (context, input) => await (await import('./look.ts')).status(context, input)))
  waiting(
    request
      .command('rerun')
      .argument('<id>', 'the request')
      .description('submit the same request once more, as a new one')
  ).action(run(async (context, input) => await (await import('./submit.ts')).rerun(context, input)))
  following(
    request
      .command('watch')
      .argument('<id>', 'the request')
      .option('--cancel', 'Ctrl-C cancels it, as it does for whoever submitted it')
      .description('follow a request to its end, from any terminal')
  ).action(run(async (context, input) => await (await import('./look.ts')).watch(context, input)))
  request
    .command('cancel')
    .argument('<id>', 'the request')
    .description('stop a request at every party')
    .action(run(async (context, input) => await (await import('./look.ts')).cancel(context, input)))
  request
    .command('result')
    .argument('<id>', 'the request')
    .option('--from <name>', 'the result of this provider, when there is one for each')
    .option('--format <format>', 'json, csv or parquet; by the name of the file, else json')
    .option('--offset <rows>', 'leave out so many rows: a page of the result')
    .option('--limit <rows>', 'how many rows such a page has; 1000 unless told, 10000 at most')
    .option(
      '--out <path>',
      'write it there; a folder (that is there, or ends with /) gets all of the request'
    )
    .option('--overwrite', 'files of the same names are replaced')
    .description('the whole result of a request, or a page of it')
    .action(run(async (context, input) => await (await import('./result.ts')).result(context, input)))
  waiting(
    program
      .command('ask')
      .argument('<sql>', 'one SELECT, run at each provider over its own tables')
      .requiredOption('--dataset <id>', 'the dataset; repeatable', collect)
      .requiredOption('--purpose <purpose>', 'what the answer is for')
      .option(
        '--algorithm <name>',
        'what to compute from the rows, such as average; omitted: the table itself'
      )
      .option('--value <column>', "the algorithm's value")
      .option('--by <columns>', "the algorithm's groups, separated by commas", collect)
      .option('--graph', 'also draw a picture of the result; --out saves it')
      .option('--provider <organisation>', 'ask this provider only; repeatable', collect)
      .option('--archetype <name>', 'a wish; repeatable, the best first', collect)
      .description('a request without a file')
  ).action(run(async (context, input) => await (await import('./ask.ts')).ask(context, input)))
}
