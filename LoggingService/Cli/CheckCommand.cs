using LoggingService.Homeserver;

namespace LoggingService.Cli;

/// <summary>The command <c>check</c>: a line for each thing that must be well, for people and scripts.</summary>
internal static class CheckCommand
{
    /// <summary>Asks the homeserver once, and writes what it finds to standard output.</summary>
    /// <param name="service">The service, as it would run; it isn't started.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>The exit code: 0, or 1 where there is trouble.</returns>
    public static async Task<int> RunAsync(WebApplication service, CancellationToken cancellation)
    {
        await using (service)
        {
            var findings = await service.Services.GetRequiredService<ConnectionCheck>().RunAsync(cancellation);
            foreach (var finding in findings)
            {
                Console.WriteLine($"{Word(finding.State),-9}{finding.Text}");
            }

            return findings.All(finding => finding.State != CheckState.Trouble) ? 0 : 1;
        }
    }

    private static string Word(CheckState state) => state switch
    {
        CheckState.Well => "ok",
        CheckState.Trouble => "trouble",
        _ => "unknown",
    };
}
