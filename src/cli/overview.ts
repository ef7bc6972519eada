/** `cachelatch --help`: all commands on one page. */
import { allCommands } from './commands.js'
import { list } from './help.js'

export async function overview(): Promise<string> {
  const commands = await allCommands()
  return `Usage: cachelatch COMMAND [OPTIONS] [-- CMD [ARGS]]

${list(commands.map(({ name, summary }) => [name, summary]))}

  cachelatch COMMAND --help tells more; cachelatch --version.
  Data goes to stdout, messages to stderr; every report has --json.
`
}
