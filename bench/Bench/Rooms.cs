namespace Bench;

/// <summary>The rooms that the numbered events of a load are spread over in turn.</summary>
/// <param name="First">The number of the first room. Loads share no rooms.</param>
/// <param name="Count">The number of rooms; 0: a new room for each event.</param>
internal readonly record struct Rooms(long First, int Count)
{
    public static string Id(string number) => $"!room-{number}:example.org";

    /// <summary>The number of the room of an event.</summary>
    public long Of(long number) => First + (Count == 0 ? number : number % Count);

    /// <summary>How many of the first <paramref name="events"/> events belong to each room that has any.</summary>
    public Dictionary<long, long> Expected(long events)
    {
        var used = Count == 0 ? events : Math.Min(events, Count);
        var expected = new Dictionary<long, long>((int)used);
        for (var room = 0L; room < used; room++)
        {
            expected.Add(First + room, Count == 0 ? 1 : (events - room + Count - 1) / Count);
        }

        return expected;
    }
}
