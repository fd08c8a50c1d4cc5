using Bench;

// Usage: Bench SERVICE LIMIT PEERS FOLDER [--full] [--only SCENARIO] [--against NAME], with the published programs, the
// folder of the peers, and a folder for the output of the contenders. bench/run prepares them.
var service = Path.GetFullPath(args[0]);
var limit = Path.GetFullPath(args[1]);
var peers = Path.GetFullPath(args[2]);
var folder = Path.GetFullPath(args[3]);
var isFull = args.Contains("--full");
var only = Option("--only");
var against = Option("--against");

// Quick, 140 s: 6 contenders start 3 times and idle for 0.8 s, warm up for 3.5 s, and run 3 times for 0.4 s in 9 scenarios, each
// after a short unmeasured round. Full: 11 minutes, and 8 minutes at most for the million events.
var (rounds, idle, warmUp, settle, duration) = isFull ? (7, 3.0, 10.0, 0.3, 1.0) : (3, 0.8, 3.5, 0.15, 0.4);

Directory.CreateDirectory(folder);
await using var homeserver = await StubHomeserver.StartAsync();
var url = homeserver.Urls.Single();
File.WriteAllText(Path.Combine(folder, "registration.yaml"), """
    id: logging
    url: http://127.0.0.1:5000
    as_token: as_token
    hs_token: hs_token
    sender_localpart: logging
    namespaces:
      aliases:
        - exclusive: false
          regex: "#logged_.*"
    """);
File.SetUnixFileMode(Path.Combine(folder, "registration.yaml"), UnixFileMode.UserRead | UnixFileMode.UserWrite);

Contender[] contenders =
[
    Create("LoggingService", port =>
    [
        service, "--registration", "../registration.yaml", "--homeserver", url, "--urls", $"http://127.0.0.1:{port}",
        "--rooms-per-hour", "100000000",
    ]),
    Create("limit", port => [limit, $"http://127.0.0.1:{port}"]),
    Create("limit, no fsync", port => [limit, $"http://127.0.0.1:{port}", "--no-sync"]),
    Create("Flask", port =>
        ["/usr/bin/gunicorn", "--workers", "1", "--bind", $"127.0.0.1:{port}", "--pythonpath", peers, "flask_service:app"]),
    Create("matrix-appservice", port => ["node", Path.Combine(peers, "matrix-appservice.js"), $"{port}"]),
    Create("matrix-bot-sdk", port => ["node", Path.Combine(peers, "matrix-bot-sdk.js"), $"{port}"]),
];
contenders = [contenders[0], .. contenders.Skip(1).Where(c => c.Name.StartsWith(against, StringComparison.Ordinal))];
var scenarios = Scenario.All.Where(scenario => scenario.Name.Contains(only, StringComparison.Ordinal)).ToList();
try
{
    if (only != "growth")
    {
        await StartupBenchmark.RunAsync(contenders, rounds, Seconds(idle));
        await LoadBenchmark.RunAsync(contenders, scenarios, rounds, Seconds(warmUp), Seconds(settle), Seconds(duration));
    }

    if ((isFull && only.Length == 0) || only == "growth")
    {
        await GrowthBenchmark.RunAsync(contenders, events: 1_000_000, rooms: 10_000, TimeSpan.FromMinutes(8));
    }
}
finally
{
    foreach (var contender in contenders)
    {
        contender.Dispose();
    }

    Directory.Delete(folder, recursive: true);
}

Contender Create(string name, Func<int, string[]> command) => new(name, command, url, Path.Combine(folder, name));

string Option(string name)
{
    var index = Array.IndexOf(args, name);
    return index < 0 ? "" : args[index + 1];
}

TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
