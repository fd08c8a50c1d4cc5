using System.Security.Cryptography;
using LoggingService.Http;
using LoggingService.Options;
using LoggingService.Registration;

namespace LoggingService.Demo;

/// <summary>The command <c>demo</c>: the service as it is, with a made-up homeserver.</summary>
internal static class DemoCommand
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(400);

    /// <summary>Plays a recorded evening, or lets a person type; then ends.</summary>
    /// <param name="build">Builds the service from settings.</param>
    /// <param name="logs">Where the logs go.</param>
    /// <param name="isFast">Without the pauses in which a person can read.</param>
    /// <param name="isChat">Whether a person types, instead of the evening.</param>
    /// <returns>The exit code, 0.</returns>
    /// <exception cref="ConfigurationException">The logs can't be written there.</exception>
    public static async Task<int> RunAsync(Func<string[], WebApplication> build, string logs, bool isFast, bool isChat)
    {
        ArgumentNullException.ThrowIfNull(build);
        var folder = Directory.CreateTempSubdirectory("logging-demo-");
        try
        {
            var registration = Path.Combine(folder.FullName, "registration.yaml");
            RegistrationGenerator.Write(registration);
            Console.WriteLine(await RunAsync(build, logs, registration, isFast ? TimeSpan.Zero : Pace, isChat));
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <returns>What is said at the end, when the service has said its last.</returns>
    private static async Task<string> RunAsync(Func<string[], WebApplication> build, string logs, string registration, TimeSpan pace, bool isChat)
    {
        await using var homeserver = await DemoHomeserver.StartAsync(AppServiceRegistration.Read(registration));
        await using var service = build([$"--LoggingService:Homeserver={homeserver.Url}", $"--LoggingService:Registration={registration}", $"--LoggingService:Logs={logs}", "--LoggingService:RoomsPerHour=60", "--urls=http://127.0.0.1:0"]);
        await ServerStartup.StartAsync(service);
        homeserver.Service = new Uri(service.Urls.Single());
        var stopping = service.Lifetime.ApplicationStopping;
        var end = isChat ? await ChatAsync(homeserver, logs, stopping) : await PlayAsync(homeserver, logs, pace, stopping);
        await service.StopAsync();
        return end;
    }

    private static async Task<string> PlayAsync(DemoHomeserver homeserver, string logs, TimeSpan pace, CancellationToken cancellation)
    {
        Console.WriteLine($"""
            A made-up homeserver plays an evening that was recorded from a real one{(pace > TimeSpan.Zero ? " (about a minute; Ctrl-C ends it)" : "")}. Read along in another terminal:
              tail -F {Path.Combine(logs, "logged_everyday", "latest.log")}

            """);
        var run = RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 4);
        var recording = DemoRecording.Read();
        var events = recording.SelectMany(request => request.Events).ToList();
        foreach (var request in recording)
        {
            if (request.Method == "GET")
            {
                await homeserver.AskAsync(request.Target, events[0].GetProperty("room_id").GetString()!, cancellation);
            }
            else
            {
                foreach (var e in request.Events.Where(e => e.GetProperty("type").GetString() == "m.room.canonical_alias"))
                {
                    homeserver.Alias(e.GetProperty("content").GetProperty("alias").GetString()!, e.GetProperty("room_id").GetString()!);
                }

                await homeserver.PushAsync(request.BodyAt(DateTimeOffset.UtcNow, run), cancellation);
            }

            await Task.Delay(pace, cancellation);
        }

        return $"""

            That was the evening. Each room has a folder in {logs}. Read one again:
              less {Path.Combine(logs, "logged_everyday", "latest.log")}
            """;
    }

    private static async Task<string> ChatAsync(DemoHomeserver homeserver, string logs, CancellationToken cancellation)
    {
        var localpart = new string([.. Environment.UserName.ToLowerInvariant().Where(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')]);
        var chat = new DemoChat(homeserver, localpart.Length == 0 ? "you" : localpart);
        await chat.JoinAsync(cancellation);
        Console.WriteLine($"""

            You are {chat.UserId}, and have joined {DemoChat.Alias}: the room was made for you. Read along in another terminal:
              tail -F {Path.Combine(logs, "logged_demo", "latest.log")}
            Type something. "/me waves" is an emote; Ctrl-D ends.

            """);
        while (await Task.Run(Console.ReadLine, cancellation).WaitAsync(cancellation) is { } line)
        {
            if (line.Length > 0)
            {
                await chat.SayAsync(line, cancellation);
            }
        }

        await chat.LeaveAsync(cancellation);
        return $"""

            Read it again:
              less {Path.Combine(logs, "logged_demo", "latest.log")}
            """;
    }
}
