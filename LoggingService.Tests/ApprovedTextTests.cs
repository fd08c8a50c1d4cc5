using System.Globalization;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>The texts of two recordings equal Traffic/everyday.txt and evening.txt, which were reviewed line by line.</summary>
public class ApprovedTextTests
{
    [Theory]
    [InlineData("everyday", "20261123")]
    [InlineData("evening", "20261127")]
    public async Task A_recording_is_rendered_as_approved(string recording, string day)
    {
        var noon = DateTimeOffset.ParseExact($"{day} 12 +00", "yyyyMMdd HH zz", CultureInfo.InvariantCulture);

        // In UTC, independent of the machine's time zone.
        using var service = new ServiceUnderTest(new FakeTimeProvider(noon));
        foreach (var request in RecordedTraffic.Read(recording).Where(request => request.Method == "PUT"))
        {
            Assert.Equal(200, (await service.SendAsync(HttpMethod.Put, request.Target, request.Body)).Status);
        }

        var rooms = Directory.GetDirectories(service.Logs, "!*")
            .Select(folder => (Name: Path.GetFileName(folder), Lines: File.ReadAllLines(Path.Combine(folder, $"{day}.log"))))
            .OrderBy(room => room.Lines[0], StringComparer.Ordinal)
            .ThenBy(room => room.Name, StringComparer.Ordinal);

        // To approve changed lines, review this file as a whole and copy it to Traffic/.
        var actual = Path.Combine(AppContext.BaseDirectory, $"{recording}.txt");
        var approved = Path.Combine(AppContext.BaseDirectory, "Traffic", $"{recording}.txt");
        var cancellation = TestContext.Current.CancellationToken;
        await File.WriteAllLinesAsync(actual, rooms.SelectMany(room => (string[])[room.Name, .. room.Lines, ""]), cancellation);
        Assert.Equal(await File.ReadAllTextAsync(approved, cancellation), await File.ReadAllTextAsync(actual, cancellation));
    }
}
