using System.CommandLine;
using LoggingService.Http;
using LoggingService.Rendering;
using LoggingService.RoomLogs;

namespace LoggingService.Cli;

/// <summary>
/// The command <c>status</c>: what the health checks of the running service say (docs/monitoring.md). The exit codes are those of
/// monitoring plugins: 0 healthy, 1 degraded, 2 unhealthy or not running, 3 not known, also for an error in the settings.
/// </summary>
internal static class StatusCommand
{
    private const int NotRunning = 2;
    private const int Unknown = 3;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <param name="readOptions">Reads the settings.</param>
    public static Command Create(Func<ParseResult, LoggingServiceOptions> readOptions)
    {
        var command = new Command(
            "status",
            "Tells the health of the running service. Exits with 0 if it is healthy, 1 if degraded, 2 if unhealthy or not running, "
            + "3 if that is not known.");
        var json = new Option<bool>("--json") { Description = "Write JSON" };
        command.Add(json);
        SettingOption.AddTo(command, "--logs", "--admin");
        command.SetAction(async (parsed, cancellation) =>
        {
            try
            {
                return await RunAsync(readOptions(parsed), parsed.GetValue(json), cancellation);
            }
            catch (Exception e) when (ErrorOutput.IsOneLine(e))
            {
                ErrorOutput.Write(e);
                return Unknown;
            }
        });
        return command;
    }

    private static async Task<int> RunAsync(LoggingServiceOptions options, bool isJson, CancellationToken cancellation)
    {
        if (LogDirectoryLock.IsHeld(options.Logs) == false)
        {
            return Fail(NotRunning, $"No service writes to {options.Logs}");
        }

        if (options.Admin.Equals("off", StringComparison.OrdinalIgnoreCase))
        {
            return Fail(
                Unknown, "The service has no admin listener, which would tell its health: set it with --admin http://127.0.0.1:5001");
        }

        if (new ListenAddress(options.Admin.Trim(), "--admin").DescribeInvalid() is { } error)
        {
            return Fail(Unknown, $"The admin listener can't be asked at {options.Admin}: {error}");
        }

        // An address to listen on can mean all of this machine's.
        var address = BindingAddress.Parse(options.Admin.Trim());
        var host = address.Host is "*" or "+" or "0.0.0.0" or "[::]" ? "localhost" : address.Host;
        if (!Uri.TryCreate($"{address.Scheme}://{host}:{address.Port}/health/ready", UriKind.Absolute, out var url))
        {
            return Fail(Unknown, $"The admin listener can't be asked at {options.Admin}");
        }

        try
        {
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout };
            using var response = await http.GetAsync(url, cancellation);
            var body = await response.Content.ReadAsByteArrayAsync(cancellation);
            if (!RawJson.TryParse(body, out var health, out _) || health["status"u8].AsString() is not { } status)
            {
                return Fail(Unknown, $"{url} is not the admin listener of a LoggingService");
            }

            Write(health, status, isJson);
            return status switch
            {
                "healthy" => 0,
                "degraded" => 1,
                _ => 2,
            };
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException { InnerException: TimeoutException })
        {
            return Fail(Unknown, $"The admin listener at {options.Admin} does not answer: {e.Message}");
        }
    }

    private static void Write(RawJson health, string status, bool isJson)
    {
        if (isJson)
        {
            Console.WriteLine(Utf8Text.Decode(health.Bytes.Span));
            return;
        }

        Console.WriteLine($"{status,-11}LoggingService {Text(health["version"u8])} since {Text(health["started_at"u8])}");
        foreach (var (name, check) in health["checks"u8].Members())
        {
            var details = check.Members()
                .Where(member => member.Key.ToString() != "status")
                .Select(member => $"{member.Key.ToString().Replace('_', ' ')}: {Text(member.Value)}");
            Console.WriteLine($"{Text(check["status"u8]),-11}{name,-12}{string.Join(", ", details)}".TrimEnd());
        }
    }

    private static string Text(RawJson value) => SafeText.Escape(value.AsString() ?? Utf8Text.Decode(value.Bytes.Span));

    private static int Fail(int exitCode, string message)
    {
        Console.Error.WriteLine(message);
        return exitCode;
    }
}
