using System.Text.RegularExpressions;
using LoggingService.Registration;

namespace LoggingService.Tests;

/// <summary>Patterns match as in CPython; the expected results were measured with CPython 3.11.</summary>
public sealed class NamespacePatternTests
{
    [Theory]
    [InlineData("#logged_.*", "#logged_ops:example.org", true)]
    [InlineData("#logged_.*", "#Logged_ops:example.org", false)]
    [InlineData("#logged_.*", "x#logged_ops:example.org", false)]
    [InlineData("#logged_.*:example\\.org", "#logged_ops:example.org.evil.example", true)]
    [InlineData("#logged_.*:example\\.org$", "#logged_ops:example.org.evil.example", false)]
    [InlineData("^#logged_.*:example\\.org$", "#logged_ops:example.org", true)]
    [InlineData("@_irc_[^:]*:example\\.org", "@_irc_alice:example.org", true)]
    [InlineData("@_irc_[^:]*:example\\.org", "@_irc_a:b:example.org", false)]
    [InlineData("@_irc_[^:]*:example\\.org", "@_irc_a:exampleXorg", false)]
    [InlineData("#_discord_.*", "#_discord_1_2:example.org", true)]
    [InlineData("@\\_telegram\\_.*", "@_telegram_7:example.org", true)]
    [InlineData("@logger\\:example\\.org", "@logger:example.org", true)]
    [InlineData("@(?!bot).*", "@alice:example.org", true)]
    [InlineData("@(?!bot).*", "@bot:example.org", false)]
    [InlineData("!.*", "!room:example.org", true)]
    [InlineData("@.*", "#not-a-user:example.org", false)]
    [InlineData("@(?P<localpart>[a-z0-9._=/-]+):example\\.org", "@a/b=c:example.org", true)]
    [InlineData("@(irc|xmpp)_\\w+:.*", "@xmpp_bob:x", true)]
    [InlineData("", "anything", true)]
    public void Patterns_of_real_registrations_match_as_in_CPython(string pattern, string text, bool matches) =>
        Assert.Equal(matches, new NamespacePattern(pattern).IsMatch(text));

    [Theory]
    [InlineData("a\\Z", "a", true)]
    [InlineData("a\\Z", "a\n", false)]
    [InlineData("a$", "a\n", true)]
    [InlineData("a$", "a\nb", false)]
    [InlineData("(?m)a$", "a\nb", true)]
    [InlineData("(?m)a\n^b", "a\nb", true)]
    [InlineData("a\n^b", "a\nb", false)]
    [InlineData("(?P<n>ab)(?P=n)", "abab", true)]
    [InlineData("(?P<n>ab)(?P=n)", "abba", false)]
    [InlineData("(?>a|ab)c", "abc", false)]
    [InlineData("a{,3}b", "aaab", true)]
    [InlineData("a{,3}b", "aaaab", false)]
    [InlineData("a{,}b", "aaaab", true)]
    [InlineData("a{,3", "a{,3", true)]
    [InlineData("a{}", "a{}", true)]
    [InlineData("a{x", "a{x", true)]
    [InlineData("a{ 2}", "a{ 2}", true)]
    [InlineData("\\_\\-\\:\\@\\#\\/\\\u00E9", "_-:@#/\u00E9", true)]
    [InlineData("\\a\\f\\v\\t", "\u0007\u000C\u000B\t", true)]
    [InlineData("[a-\U0001F600]\\Z", "\u00E9", true)]
    [InlineData(".", "\n", false)]
    [InlineData("(?s).", "\n", true)]
    [InlineData("(?s:.).", "\n\n", false)]
    [InlineData("(?i)ABC", "abc", true)]
    [InlineData("(?i:a)b", "Ab", true)]
    [InlineData("(?i:a)b", "AB", false)]
    [InlineData("(?i)a(?-i:b)", "AB", false)]
    [InlineData("(?i)k", "\u212A", true)]
    [InlineData("(?i)\u00E9", "\u00C9", true)]
    [InlineData("\\d", "\u0661", true)]
    [InlineData("\\w", "\u00E9", true)]
    [InlineData("\\s", "\u2003", true)]
    [InlineData("\\Ba", "a", false)]
    [InlineData("\\ba", "a", true)]
    [InlineData("[a-z-[aeiou]]", "a]", true)]
    [InlineData("[a-z-[aeiou]]", "b]", true)]
    [InlineData("[a-z-[aeiou]]", "b", false)]
    [InlineData("[]a]+\\Z", "]a", true)]
    [InlineData("[^]a]", "]", false)]
    [InlineData("[a-]+\\Z", "a-", true)]
    [InlineData("[\\w-]+\\Z", "a-", true)]
    [InlineData("[\\b]", "\u0008", true)]
    [InlineData("[[:alpha:]]", "a", false)]
    [InlineData("[[:alpha:]]", "a]", true)]
    [InlineData("[\\1]", "\u0001", true)]
    [InlineData("[^\\W\\d]", "1", false)]
    [InlineData("[\\W\\d]\\Z", "\n", true)]
    [InlineData("(?x:a b)c d", "abc d", true)]
    [InlineData("(a)?(?(1)b|c)", "ab", true)]
    [InlineData("(a)?(?(1)b|c)", "c", true)]
    [InlineData("(a)?(?(1)b|c)", "b", false)]
    [InlineData("(?P<n>a)?(?(n)b)\\Z", "ab", true)]
    [InlineData("(?:(a)|b)*\\1", "aba", true)]
    [InlineData("ab(?<=ab)c", "abc", true)]
    [InlineData("ab(?<!ab)c", "abc", false)]
    [InlineData("(?=a)*b", "b", true)]
    [InlineData("a|b|", "c", true)]
    [InlineData("(?i)(a)\\1", "aA", true)]
    [InlineData("(?<=(a|b){2})\\1", "a", false)]
    [InlineData("(?>(?:b||c)+?a)", "ba", true)]
    [InlineData(".", "\uD83D", true)]
    [InlineData("[[a]+\\Z", "[a", true)]
    [InlineData("a{,2}\\Z", "aaa", false)]
    [InlineData("\\(?P<n", "(P<n", true)]
    [InlineData("[(?P<n>]", "P", true)]
    [InlineData("[\\_]", "_", true)]
    [InlineData("(?P<n>a)\\\\(?P=n)", "a\\a", true)]
    [InlineData("\\\\Z", "\\Z", true)]
    [InlineData("[\\]Z]+\\Z", "]Z", true)]
    public void These_patterns_match_as_in_CPython(string pattern, string text, bool matches) =>
        Assert.Equal(matches, new NamespacePattern(pattern).IsMatch(text));

    // The results are true, false, or null for a pattern that is refused.
    [Theory]
    [InlineData("(a)(?P<n>b)(c)\\2", "abcb", true, false)]
    [InlineData("(a)(?P<n>b)(c)\\2", "abcc", false, true)]
    [InlineData("(a)(?P<n>b)(c)\\3", "abcc", true, false)]
    [InlineData("(?P<a>x)|(y)\\2", "yy", true, false)]
    [InlineData("a++a", "aaa", false, null)]
    [InlineData("a*+b", "aab", true, null)]
    [InlineData("a?+a", "a", false, null)]
    [InlineData("a{1,2}+a", "aaa", true, null)]
    [InlineData("a{1,2}+a", "aa", false, null)]
    [InlineData("\\x41\\u00e9\\U0001F600\\101\\0", "A\u00E9\U0001F600A\u0000", true, null)]
    [InlineData(".\\Z", "\U0001F600", true, false)]
    [InlineData("..\\Z", "\U0001F600", false, true)]
    [InlineData("[^a]\\Z", "\U0001F600", true, false)]
    [InlineData("\\W\\Z", "\U0001F600", true, false)]
    [InlineData("\U0001F600{2}\\Z", "\U0001F600\U0001F600", true, false)]
    [InlineData("[\U0001F600-\U0001F602]+\\Z", "\U0001F600\U0001F601\U0001F602", true, null)]
    [InlineData("[\U0001F600-\U0001F602]", "\U0001F603", false, null)]
    [InlineData("\\ud83d", "\U0001F600", false, true)]
    [InlineData(".(?<=\U0001F600)a", "\U0001F600a", true, false)]
    [InlineData("(?u)\u00E9", "\u00E9", true, null)]
    [InlineData("(?i)i", "\u0131", true, false)]
    [InlineData("(?i)i", "\u0130", true, false)]
    [InlineData("(?i)s", "\u017F", true, false)]
    [InlineData("(?ai)s", "\u017F", false, null)]
    [InlineData("(?i)[^s]", "\u017F", false, true)]
    [InlineData("(?i)\U00010400", "\U00010428", true, false)]
    [InlineData("(?ai)\u00E9", "\u00C9", false, null)]
    [InlineData("(?i)[\u1F00-\u1FFF]", "\u0390", true, false)]
    [InlineData("(?a)\\d", "\u0661", false, null)]
    [InlineData("(?a:\\d)", "1", true, null)]
    [InlineData("(?a)\\w", "\u00E9", false, null)]
    [InlineData("\\w", "\u00B2", true, false)]
    [InlineData("\\w", "\u0301", false, true)]
    [InlineData("\\w\\Z", "\U00010330", true, false)]
    [InlineData("\\s", "\u001C", true, false)]
    [InlineData("(?a)\\s", "\u2003", false, null)]
    [InlineData("a\\b", "a\u0301", true, false)]
    [InlineData("a\\b", "a\u00B2", false, true)]
    [InlineData("a\\B", "a\u00B2", true, false)]
    [InlineData("(?x) a b # c", "ab", true, null)]
    [InlineData("(?x)a\\ [ ]b#)", "a  b", true, null)]
    [InlineData("(?#c\\))a", "a", true, null)]
    [InlineData("\\p{L}", "a", null, true)]
    [InlineData("\\e", "\u001B", null, true)]
    [InlineData("\\cA", "\u0001", null, true)]
    [InlineData("\\z", "", null, true)]
    [InlineData("(?<n>a)", "a", null, true)]
    [InlineData("(?'n'a)", "a", null, true)]
    [InlineData("(?<=a*)b", "b", null, true)]
    [InlineData("(?<!a|bc)d", "d", null, true)]
    [InlineData("a(?i)b", "aB", null, true)]
    [InlineData("(?i-)a", "a", null, true)]
    [InlineData("(?n)a", "a", null, true)]
    [InlineData("^*", "", null, true)]
    [InlineData("\\b+", "a", null, true)]
    [InlineData("[\\w-z]", "-", null, true)]
    [InlineData("(a\\1)", "a", null, false)]
    [InlineData("(?P<1>a)", "a", null, true)]
    [InlineData("(?P<n>a)(?P<n>b)", "a", null, false)]
    [InlineData("\\400", "\u0100", null, false)]
    [InlineData("a\\N{EM DASH}", "a\u2014", true, null)]
    [InlineData("a{4000000000}", "a", false, null)]
    public void Known_differences_from_CPython(string pattern, string text, bool? cpython, bool? ours)
    {
        Assert.Equal(ours, TryMatch(pattern, text));
        Assert.NotEqual(cpython, ours);
    }

    [Theory]
    [InlineData("\\h")]
    [InlineData("a\\q")]
    [InlineData("\\Qa\\E")]
    [InlineData("(?au)a")]
    [InlineData("(?L)a")]
    [InlineData("*a")]
    [InlineData("a**")]
    [InlineData("a{2}{3}")]
    [InlineData("a{3,2}")]
    [InlineData("(a")]
    [InlineData("a)")]
    [InlineData("[a")]
    [InlineData("[z-a]")]
    [InlineData("a\\")]
    [InlineData("\\1")]
    [InlineData("(?P=n)")]
    [InlineData("(?P>n)")]
    [InlineData("(?(1)a|b)")]
    [InlineData("(a)(?(1)a|b|c)")]
    [InlineData("(?#a")]
    [InlineData("\\xg")]
    [InlineData("\\u12")]
    [InlineData("\\U00110000")]
    [InlineData("[\\8]")]
    [InlineData("\U0001F600\\h")]
    [InlineData("a)|(b")]
    [InlineData("(?P<a-b>x)")]
    public void These_patterns_are_refused_as_in_CPython(string pattern) => Assert.Null(TryMatch(pattern, "a"));

    [Theory]
    [InlineData("(")]
    [InlineData("(?:")]
    [InlineData("(?(1)")]
    public void A_deeply_nested_pattern_that_is_not_closed_is_refused(string opening) =>
        Assert.Null(TryMatch(string.Concat(Enumerable.Repeat(opening, 20_000)), "a"));

    [Fact]
    public void Nested_repetitions_match_in_linear_time() =>
        Assert.False(new NamespacePattern("#(a+)+b").IsMatch("#" + new string('a', 5_000)));

    [Fact]
    public void A_pattern_that_backtracks_exponentially_times_out()
    {
        var pattern = new NamespacePattern("#(?!bot)(a+)+b");

        var e = Assert.Throws<TimeoutException>(() => pattern.IsMatch("#" + new string('a', 250)));

        Assert.Equal("Regex #(?!bot)(a+)+b timed out on a text of 251 characters", e.Message);
    }

    [Fact]
    public void After_a_timeout_a_pattern_is_suspended()
    {
        var pattern = new NamespacePattern("#(?!bot)(a+)+b");
        Assert.True(pattern.IsMatch("#ab"));
        Assert.Throws<TimeoutException>(() => pattern.IsMatch("#" + new string('a', 250)));

        var e = Assert.Throws<TimeoutException>(() => pattern.IsMatch("#ab"));

        Assert.Equal("Regex #(?!bot)(a+)+b is suspended after a timeout", e.Message);
    }

    private static bool? TryMatch(string pattern, string text)
    {
        try
        {
            return new NamespacePattern(pattern).IsMatch(text);
        }
        catch (RegexParseException)
        {
            return null;
        }
    }
}
