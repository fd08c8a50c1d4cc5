using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>The text of an everyday evening, which a person has read line by line: Traffic/everyday.txt.</summary>
public class EverydayTextTests
{
    [Fact]
    public async Task An_everyday_evening_reads_as_it_was_approved()
    {
        // In UTC, whatever the machine's zone is.
        using var service = new ServiceUnderTest(new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 12, 30, 0, TimeSpan.Zero)));
        foreach (var request in RecordedTraffic.Read("everyday").Where(request => request.Method == "PUT"))
        {
            Assert.Equal(200, (await service.SendAsync(HttpMethod.Put, request.Target, request.Body)).Status);
        }

        var rooms = Directory.GetDirectories(service.Logs, "!*").Select(folder => (Name: Path.GetFileName(folder), Lines: File.ReadAllLines(Path.Combine(folder, "20261123.log"))));
        var text = rooms.OrderBy(room => room.Lines[0], StringComparer.Ordinal).ThenBy(room => room.Name, StringComparer.Ordinal).SelectMany(room => new[] { room.Name }.Concat(room.Lines).Append(""));

        // After a change of how lines read: read the new text, all of it, and copy it over the old.
        var made = Path.Combine(AppContext.BaseDirectory, "everyday.txt");
        await File.WriteAllLinesAsync(made, text, TestContext.Current.CancellationToken);
        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Traffic", "everyday.txt"), TestContext.Current.CancellationToken), await File.ReadAllTextAsync(made, TestContext.Current.CancellationToken));
    }
}
