using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>The text of everyday traffic equals Traffic/everyday.txt, which was reviewed line by line.</summary>
public class EverydayTextTests
{
    [Fact]
    public async Task Everyday_traffic_is_rendered_as_approved()
    {
        // In UTC, independent of the machine's time zone.
        using var service = new ServiceUnderTest(new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 12, 30, 0, TimeSpan.Zero)));
        foreach (var request in RecordedTraffic.Read("everyday").Where(request => request.Method == "PUT"))
        {
            Assert.Equal(200, (await service.SendAsync(HttpMethod.Put, request.Target, request.Body)).Status);
        }

        var rooms = Directory.GetDirectories(service.Logs, "!*")
            .Select(folder => (Name: Path.GetFileName(folder), Lines: File.ReadAllLines(Path.Combine(folder, "20261123.log"))))
            .OrderBy(room => room.Lines[0], StringComparer.Ordinal)
            .ThenBy(room => room.Name, StringComparer.Ordinal);

        // To approve changed lines, review this file as a whole and copy it to Traffic/.
        var actual = Path.Combine(AppContext.BaseDirectory, "everyday.txt");
        var approved = Path.Combine(AppContext.BaseDirectory, "Traffic", "everyday.txt");
        var cancellation = TestContext.Current.CancellationToken;
        await File.WriteAllLinesAsync(actual, rooms.SelectMany(room => (string[])[room.Name, .. room.Lines, ""]), cancellation);
        Assert.Equal(await File.ReadAllTextAsync(approved, cancellation), await File.ReadAllTextAsync(actual, cancellation));
    }
}
