using System.CommandLine;
using LoggingService.Http;
using LoggingService.Pages;
using LoggingService.Registration;

namespace LoggingService.Demo;

/// <summary>The command <c>demo</c>: the service itself, with a simulated homeserver.</summary>
internal static class DemoCommand
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(700);
    private static readonly TimeSpan PagesTimeout = TimeSpan.FromSeconds(5);

    public static Command Create(Func<string[], WebApplication> build)
    {
        var logs = new Option<string>("--logs") { HelpName = "FOLDER", Description = "Folder of the logs" };
        var fast = new Option<bool>("--fast") { Description = "Play without pauses" };
        var chat = new Option<bool>("--chat") { Description = $"Join {DemoChat.Alias} and type messages instead" };
        logs.DefaultValueFactory = _ => "demo-logs";
        const string description = "Runs the service without a homeserver: plays a recorded evening, or logs what you type.";
        var command = new Command("demo", description) { logs, fast, chat };
        command.SetAction((parsed, _) => RunAsync(
            build, Path.GetFullPath(parsed.GetRequiredValue(logs)), parsed.GetValue(fast) ? TimeSpan.Zero : Pace, parsed.GetValue(chat)));
        return command;
    }

    private static async Task RunAsync(Func<string[], WebApplication> build, string logs, TimeSpan pace, bool isChat)
    {
        var folder = CreateTemporaryFolder();
        try
        {
            var registration = Path.Combine(folder.FullName, "registration.yaml");
            RegistrationGenerator.Write(registration);
            await using var homeserver = await DemoHomeserver.StartAsync(RegistrationReader.Read(registration));
            string closing;
            await using (var service = build(
            [
                $"--{SettingsSources.MachineFileKey}=",
                $"--LoggingService:Homeserver={homeserver.Url}",
                $"--LoggingService:Registration={registration}",
                $"--LoggingService:Logs={logs}",
                "--LoggingService:RoomsPerHour=60",
                "--LoggingService:Notice=off",
                $"--LoggingService:Pages={(pace > TimeSpan.Zero || isChat ? "http://127.0.0.1:0" : "off")}",
                "--urls=http://127.0.0.1:0",
            ]))
            {
                await WebServer.StartAsync(service);
                homeserver.SetService(service.Urls.Single());
                var stopping = service.Lifetime.ApplicationStopping;
                try
                {
                    await WritePagesAsync(service, stopping);
                    closing = isChat ? await ChatAsync(homeserver, logs, stopping) : await PlayAsync(homeserver, logs, pace, stopping);
                }
                catch (Exception e) when (stopping.IsCancellationRequested && e is OperationCanceledException or HttpRequestException)
                {
                    // Ctrl-C: a clean stop, too.
                    closing = "";
                }

                await service.StopAsync();
            }

            // Below the service's last log message.
            Console.WriteLine(closing);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task WritePagesAsync(WebApplication service, CancellationToken cancellation)
    {
        if (service.Services.GetService<PagesProcess>() is { } pages)
        {
            await Task.WhenAny(pages.Url, Task.Delay(PagesTimeout, cancellation));
            if (pages.Url.IsCompletedSuccessfully)
            {
                Console.WriteLine($"\nTo read the log in a browser: {await pages.Url}\n");
            }
        }
    }

    private static DirectoryInfo CreateTemporaryFolder()
    {
        try
        {
            return Directory.CreateTempSubdirectory("logging-demo-");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FatalException(
                $"The demo cannot create a temporary folder in {Path.GetTempPath()}: {e.Message} TMPDIR can name another one.");
        }
    }

    private static async Task<string> PlayAsync(DemoHomeserver homeserver, string logs, TimeSpan pace, CancellationToken cancellation)
    {
        var log = Path.Combine(logs, "logged_hiking", "latest.log");
        Console.WriteLine($"""
            Playing an evening recorded from a real homeserver{(pace > TimeSpan.Zero ? " (about a minute; Ctrl-C to stop)" : "")}.
            To follow the log in another terminal:
              tail -F {log}

            """);
        var recording = DemoRecording.Read();
        var room = (string)recording.First(request => request.Method == "PUT").Events[0]!["room_id"]!;
        foreach (var (index, request) in recording.Index())
        {
            if (request.Method == "GET")
            {
                await homeserver.QueryAliasAsync(request.Target, room, cancellation);
            }
            else
            {
                // Without pauses, the events have times as if the evening had just ended.
                var sentAt = DateTimeOffset.UtcNow - ((recording.Count - index - 1) * (Pace - pace));
                await homeserver.PushAsync(request.BodyAt(sentAt), cancellation);
            }

            await Task.Delay(pace, cancellation);
        }

        return $"\nEnd of the recording. To read the log:\n  less {log}";
    }

    private static async Task<string> ChatAsync(DemoHomeserver homeserver, string logs, CancellationToken cancellation)
    {
        var userName = Environment.UserName.ToLowerInvariant();
        var localpart = new string([.. userName.Where(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')]);
        var chat = new DemoChat(homeserver, localpart.Length == 0 ? "you" : localpart);
        await chat.JoinAsync(cancellation);
        Console.WriteLine($"""

            You are {chat.UserId} and have joined {DemoChat.Alias}, which the service created.
            To follow the log in another terminal:
              tail -F {Path.Combine(logs, "logged_demo", "latest.log")}
            Type messages. "/me waves" is an emote; Ctrl-D to end.

            """);
        while (await Task.Run(Console.ReadLine, cancellation).WaitAsync(cancellation) is { } line)
        {
            if (line.Length > 0)
            {
                await chat.SendAsync(line, cancellation);
            }
        }

        await chat.LeaveAsync(cancellation);
        return $"\nTo read the log:\n  less {Path.Combine(logs, "logged_demo", "latest.log")}";
    }
}
