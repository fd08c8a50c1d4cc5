using System.CommandLine;
using LoggingService.Files;
using LoggingService.Homeserver;
using LoggingService.Http;
using LoggingService.RoomLogs;

namespace LoggingService.Cli;

/// <summary>The command <c>check</c>: one line for each check, for admins and scripts.</summary>
internal static class CheckCommand
{
    public static Command Create(Func<ParseResult, WebApplication> build)
    {
        var command = new Command("check", "Checks that the homeserver and the service reach each other. Exits with 1 if not.");
        SettingOption.AddAllTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var service = build(parsed);
            var requests = service.Services.GetRequiredService<CheckRequests>();
            requests.Obstacle = await PrepareAsync(service);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, service.Lifetime.ApplicationStopping);
            var results = await service.Services.GetRequiredService<ConnectionCheck>().RunAsync(stop.Token);
            requests.Clear();
            foreach (var result in results)
            {
                Console.WriteLine($"{result.State.ToString().ToLowerInvariant(),-9}{result}");
            }

            return results.All(result => result.State != CheckState.Failed) ? 0 : 1;
        });
        return command;
    }

    /// <summary>
    /// The requests of the check arrive at the running service, which records them in its log directory. Where none runs, this process
    /// listens in its place.
    /// </summary>
    /// <returns>Why it can't be observed whether they arrive; <c>null</c> if it can.</returns>
    private static async Task<string?> PrepareAsync(WebApplication service)
    {
        var logs = service.Services.GetRequiredService<LoggingServiceOptions>().Logs;
        switch (LogDirectoryLock.IsHeld(logs))
        {
            case true:
                return null;
            case null:
                return $"{CurrentUser.Name} has no access to {logs}: run check as the user of the service";
            case false when service.Services.GetRequiredService<IReadOnlyList<ListenAddress>>().Count == 0:
                return $"no service writes to {logs}, and check can't serve an https url in its place";
        }

        try
        {
            await WebServer.StartAsync(service);
            return null;
        }
        catch (FatalException e)
        {
            return $"no service writes to {logs}, and check can't listen in its place ({e.Message.TrimEnd('.')})";
        }
    }
}
