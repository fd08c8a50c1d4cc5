using System.Text.Json.Nodes;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>The text of each case equals Cases/lines.txt, which was reviewed line by line.</summary>
public class CaseTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 14, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cases_are_rendered_as_approved_in_one_transaction_or_in_many(bool inOneTransaction)
    {
        // In UTC, independent of the machine's time zone.
        using var service = new ServiceUnderTest(new FakeTimeProvider(Now));
        var cases = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Cases"), "*.jsonl").Order(StringComparer.Ordinal).ToList();
        var transaction = 0;
        foreach (var path in cases)
        {
            var events = File.ReadAllLines(path).Select(line => InRoom(line, RoomOf(path))).ToList();
            foreach (var part in inOneTransaction ? [events] : events.ConvertAll(e => new List<string> { e }))
            {
                Assert.Equal(200, (await service.PushAsync($"{transaction++}", part)).Status);
            }
        }

        // To approve changed lines, review this file as a whole and copy it to Cases/.
        var actual = Path.Combine(AppContext.BaseDirectory, $"lines-{inOneTransaction}.txt");
        await File.WriteAllLinesAsync(
            actual,
            cases.SelectMany(path => (string[])
            [
                Path.GetFileNameWithoutExtension(path), .. File.ReadAllLines(Path.Combine(service.Logs, RoomOf(path), "latest.log")), "",
            ]),
            TestContext.Current.CancellationToken);
        Assert.Equal(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Cases", "lines.txt")), File.ReadAllText(actual));
    }

    private static string RoomOf(string path) => $"!{Path.GetFileNameWithoutExtension(path)}:localhost";

    private static string InRoom(string json, string room)
    {
        var e = JsonNode.Parse(json)!;
        e["room_id"] = room;
        return e.ToJsonString();
    }
}
