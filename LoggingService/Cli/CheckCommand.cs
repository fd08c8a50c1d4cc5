using System.CommandLine;
using LoggingService.Homeserver;

namespace LoggingService.Cli;

/// <summary>The command <c>check</c>: one line for each check, for admins and scripts.</summary>
internal static class CheckCommand
{
    public static Command Create(Func<ParseResult, WebApplication> build)
    {
        var command = new Command("check", "Checks that the homeserver and the running service reach each other. Exits with 1 if not.");
        SettingOption.AddAllTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var service = build(parsed);
            var results = await service.Services.GetRequiredService<ConnectionCheck>().RunAsync(cancellation);
            foreach (var result in results)
            {
                Console.WriteLine($"{result.State.ToString().ToLowerInvariant(),-9}{result}");
            }

            return results.All(result => result.State != CheckState.Failed) ? 0 : 1;
        });
        return command;
    }
}
