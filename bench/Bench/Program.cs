using Bench;

// Usage: Bench SERVICE LIMIT PEERS FOLDER [options of bench/run], with the published programs, the folder of the peers, and a
// folder for the output of the contenders. bench/run prepares them.
var service = Path.GetFullPath(args[0]);
var limit = Path.GetFullPath(args[1]);
var peers = Path.GetFullPath(args[2]);
var folder = Path.GetFullPath(args[3]);
var isFull = args.Contains("--full");
var only = Option("--only");
var against = Option("--against");
var history = Option("--history") is { Length: > 0 } number ? int.Parse(number) : isFull ? 30_000 : 300;
var rounds = isFull ? 5 : 3;
var (idle, warmUp, settle, duration) = isFull ? (3.0, 10.0, 0.3, 2.0) : (0.8, 3.5, 0.15, 0.5);
var (delay, tenMillion) = isFull ? (10.0, 15.0) : (3.0, 0.0);

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
    CreateService("LoggingService", service),
    Create("limit", ContenderKind.Limit, port => [limit, $"http://127.0.0.1:{port}"]),
    Create("Flask", ContenderKind.Peer, port =>
        ["/usr/bin/gunicorn", "--workers", "1", "--bind", $"127.0.0.1:{port}", "--pythonpath", peers, "flask_service:app"]),
    Create("matrix-appservice", ContenderKind.Peer, port => ["node", Path.Combine(peers, "matrix-appservice.js"), $"{port}"]),
    Create("matrix-bot-sdk", ContenderKind.Peer, port => ["node", Path.Combine(peers, "matrix-bot-sdk.js"), $"{port}"]),
    .. Options("--beside").Select(beside => beside.Split('=', 2)).Select(beside => CreateService(beside[0], Path.GetFullPath(beside[1]))),
];
contenders = [contenders[0], .. contenders.Skip(1).Where(c => against.Length == 0 || against.Split(',').Contains(c.Name))];
var goals = new Goals();
try
{
    if (only == "pages")
    {
        using var pages = new PagesBenchmark(contenders[0], service);
        await pages.RunAsync(rounds);
    }

    if (IsSelected("cold"))
    {
        ColdBenchmark.Run(contenders, goals, rounds, Seconds(idle));
    }

    var load = new LoadBenchmark(contenders, goals, rounds, Seconds(settle), Seconds(duration));
    var scenarios = Scenario.Steady.Where(scenario => IsSelected(scenario.Name)).ToList();
    if (scenarios.Count > 0)
    {
        load.RunSteady(scenarios, Seconds(warmUp), history);
    }

    foreach (var contender in contenders)
    {
        contender.Dispose();
    }

    if (IsSelected(Scenario.NewRooms.Name))
    {
        load.RunNewRooms();
    }

    if (IsSelected("delay"))
    {
        DelayBenchmark.Run(contenders[0], goals, rounds, Seconds(delay));
    }

    if (IsSelected("growth"))
    {
        GrowthBenchmark.Run(contenders[0], goals, rooms: 10_000, TimeSpan.FromMinutes(tenMillion));
    }
}
finally
{
    goals.Print(contenders);
    foreach (var contender in contenders)
    {
        contender.Dispose();
    }

    Directory.Delete(folder, recursive: true);
}

bool IsSelected(string name) =>
    Scenario.Steady.Any(scenario => scenario.Name == only) ? name == only : name.Contains(only, StringComparison.Ordinal);

Contender CreateService(string name, string program) => Create(name, ContenderKind.Service, port =>
    [program, "--registration", "../registration.yaml", "--homeserver", url, "--urls", $"http://127.0.0.1:{port}"]);

Contender Create(string name, ContenderKind kind, Func<int, string[]> command) =>
    new(name, kind, command, url, Path.Combine(folder, name));

IEnumerable<string> Options(string name) => args.Zip(args.Skip(1)).Where(pair => pair.First == name).Select(pair => pair.Second);

string Option(string name) => Options(name).LastOrDefault("");

TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
