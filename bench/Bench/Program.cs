using Bench;

// Bench SERVICE LIMIT PEERS FOLDER [--full] [--only SCENARIO] [--against NAME]: the published programs, the folder of the peers, and one for
// what is written. bench/run makes them all.
var (service, limit, peers, folder) = (Path.GetFullPath(args[0]), Path.GetFullPath(args[1]), Path.GetFullPath(args[2]), Path.GetFullPath(args[3]));
var isFull = args.Contains("--full");
var only = Option("--only");
var against = Option("--against");

// Quick, 140 s: 6 contenders start 3 times and rest for 0.8 s, are warmed up for 3.5 s, and run 3 times for 0.4 s in 9 scenarios, each
// after a moment for what the last one left behind. Full, 11 minutes, and 8 at most for the million events.
var (rounds, idle, warmUp, settle, time) = isFull ? (7, 3.0, 10.0, 0.3, 1.0) : (3, 0.8, 3.5, 0.15, 0.4);

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

Contender Make(string name, Func<int, string[]> command) => new(name, command, url, Path.Combine(folder, name));
Contender[] contenders =
[
    Make("LoggingService", port => [service, "--registration", "../registration.yaml", "--homeserver", url, "--urls", $"http://127.0.0.1:{port}", "--rooms-per-hour", "100000000"]),
    Make("limit", port => [limit, $"http://127.0.0.1:{port}"]),
    Make("limit, no fsync", port => [limit, $"http://127.0.0.1:{port}", "--no-sync"]),
    Make("Flask", port => ["/usr/bin/gunicorn", "--workers", "1", "--bind", $"127.0.0.1:{port}", "--pythonpath", peers, "flask_service:app"]),
    Make("matrix-appservice", port => ["node", Path.Combine(peers, "matrix-appservice.js"), $"{port}"]),
    Make("matrix-bot-sdk", port => ["node", Path.Combine(peers, "matrix-bot-sdk.js"), $"{port}"]),
];
contenders = [contenders[0], .. contenders.Skip(1).Where(c => c.Name.StartsWith(against, StringComparison.Ordinal))];
var scenarios = Scenario.All.Where(scenario => scenario.Name.Contains(only, StringComparison.Ordinal)).ToList();
try
{
    if (only != "growth")
    {
        await Starts.RunAsync(contenders, rounds, Seconds(idle));
        await Load.RunAsync(contenders, scenarios, rounds, Seconds(warmUp), Seconds(settle), Seconds(time));
    }

    if ((isFull && only.Length == 0) || only == "growth")
    {
        await Growth.RunAsync(contenders, events: 1_000_000, rooms: 10_000, TimeSpan.FromMinutes(8));
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

string Option(string name) => Array.IndexOf(args, name) is >= 0 and var at ? args[at + 1] : "";

TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
