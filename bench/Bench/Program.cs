using Bench;
using static Bench.Report;

// Bench SERVICE LIMIT PEERS FOLDER [--full] [--only SCENARIO] [--against NAME]: the published programs, the folder of the peers, and one for
// what is written. bench/run makes them all.
var (service, limit, peers, folder) = (Path.GetFullPath(args[0]), Path.GetFullPath(args[1]), Path.GetFullPath(args[2]), Path.GetFullPath(args[3]));
var isFull = args.Contains("--full");
var only = Option("--only");
var against = Option("--against");
var (rounds, time) = isFull ? (7, TimeSpan.FromSeconds(2)) : (3, TimeSpan.FromSeconds(0.7));

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
try
{
    if (only != "growth")
    {
        await StartsAsync();
        await LoadAsync();
    }

    if ((isFull && only.Length == 0) || only == "growth")
    {
        await Growth.RunAsync(contenders[0], 1_000_000, rooms: 10_000);
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

// Each is started some times; the last ones stay.
async Task StartsAsync()
{
    var (starts, memory) = (contenders.ToDictionary(c => c, _ => new List<double>()), contenders.ToDictionary(c => c, _ => new List<double>()));
    for (var round = 0; round < rounds; round++)
    {
        foreach (var contender in contenders)
        {
            contender.Dispose();
            starts[contender].Add(await contender.StartAsync());
        }

        await Task.Delay(TimeSpan.FromSeconds(isFull ? 5 : 2));
        foreach (var contender in contenders)
        {
            memory[contender].Add(contender.Megabytes());
        }
    }

    Table(["LoggingService to", "start to first 200", "memory, idle"], contenders.Skip(1).Select(c => new[] { c.Name, Ratio(starts[contenders[0]], starts[c]), Ratio(memory[contenders[0]], memory[c]) }));
    Table(["", "start to first 200", "memory, idle"], contenders.Select(c => new[] { c.Name, Text($"{Median(starts[c]):0.00} s"), Text($"{Median(memory[c]):0} MB") }));
}

async Task LoadAsync()
{
    var scenarios = Scenario.All.Where(scenario => scenario.Name.Contains(only, StringComparison.Ordinal)).ToList();
    foreach (var contender in contenders)
    {
        // Compilers that learn while they run have learned the most by then.
        await Scenario.WarmUp.RunAsync(contender, TimeSpan.FromSeconds(isFull ? 15 : 4));
    }

    foreach (var scenario in scenarios)
    {
        // The limit knows no aliases.
        var those = contenders.Where(c => scenario.Events > 0 || !c.Name.StartsWith("limit", StringComparison.Ordinal)).ToList();
        var results = those.ToDictionary(c => c, _ => new List<Scenario.Result>());
        for (var round = -1; round < rounds; round++)
        {
            // The first round warms up. Who begins, changes.
            foreach (var contender in those.Skip((round + 1) % those.Count).Concat(those.Take((round + 1) % those.Count)))
            {
                var result = await scenario.RunAsync(contender, round < 0 ? time / 2 : time);
                if (round >= 0)
                {
                    results[contender].Add(result);
                }
            }
        }

        Console.WriteLine($"### {scenario.Name}\n");
        var ours = results[those[0]];
        Table(["LoggingService to", "events/s", "p50", "p95", "p99", "CPU an event"], those.Skip(1).Select(c => new[] { c.Name }.Concat(
            Scenario.Figures.Select(figure => Ratio(ours.Select(figure.Of), results[c].Select(figure.Of)))).ToArray()));
        Table(["", "events/s", "p50", "p95", "p99", "CPU, 100,000 events"], those.Select(c => new[] { c.Name }.Concat(
            Scenario.Figures.Select(figure => Text($"{Median(results[c].Select(figure.Of)).ToString(figure.Format)}{figure.Unit}"))).ToArray()));
    }

    Table(["after all that", "memory", "bytes on disk"], contenders.Select(c => new[] { c.Name, Text($"{c.Megabytes():0} MB"), Text($"{c.Bytes() / 1e6:0} MB") }));
}
