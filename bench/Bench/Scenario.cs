namespace Bench;

/// <summary>A load that a homeserver generates.</summary>
/// <param name="Name">The name in the tables.</param>
/// <param name="Events">Events per transaction.</param>
/// <param name="RoomCount">The number of rooms that the events are spread over; 0: a new room for each event.</param>
/// <param name="Connections">The number of concurrent connections.</param>
/// <param name="IsBurst">All connections send one transaction at the same moment, then wait for each other.</param>
/// <param name="HasHistory">The rooms have 30 days of history; only LoggingService and the limit take part.</param>
internal sealed record Scenario(
    string Name, int Events, int RoomCount, int Connections = 1, bool IsBurst = false, bool HasHistory = false)
{
    private static long s_scenarios;

    public static Scenario One { get; } = new("1 event, 1 room", 1, 1);

    public static Scenario Tens { get; } = new("10 events, 10 rooms", 10, 10);

    public static Scenario OneRoom { get; } = new("100 events, 1 room", 100, 1);

    public static Scenario Hundreds { get; } = new("100 events, 100 rooms", 100, 100);

    public static Scenario WithHistory { get; } = new("100 events, 100 rooms with history", 100, 100, HasHistory: true);

    public static Scenario ManyRooms { get; } = new("100 events, 1,000 rooms", 100, 1000);

    public static Scenario Concurrent { get; } = new("8 connections, 10 events, 10 rooms", 10, 10, 8);

    public static Scenario Burst { get; } = new("burst of 50 transactions, 10 events", 10, 10, 50, IsBurst: true);

    public static Scenario NewRooms { get; } = new("new rooms only, 10 events", 10, 0);

    /// <summary>The scenarios that are measured in a process that has warmed up.</summary>
    public static IReadOnlyList<Scenario> Steady { get; } =
        [One, Tens, OneRoom, Hundreds, WithHistory, ManyRooms, Concurrent, Burst];

    // Scenarios share no rooms: the length of a room's file depends on its own scenario only.
    public Rooms Rooms { get; } = new(Interlocked.Increment(ref s_scenarios) * 100_000_000_000, RoomCount);
}
